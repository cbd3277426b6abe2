//! The other documents: DevInf, DM DDF, provisioning.

use bindery_syncml::{
    CtCapEntry, DevInf, Document, Error, MgmtTree, Options, Parameter, ProvisioningDoc,
    WriteOptions,
};
use bytes::Bytes;

/// Reads a document, and checks that both encodings carry it.
fn both(text: &str) -> Document {
    let document =
        Document::decode(&Bytes::copy_from_slice(text.as_bytes()), &Options::STRICT).unwrap();
    for options in [WriteOptions::XML, WriteOptions::XML.with_doctype(true), WriteOptions::WBXML] {
        let mut buffer = Vec::new();
        document.encode(&mut buffer, &options).unwrap();
        let again = Document::decode(&buffer.clone().into(), &Options::STRICT).unwrap();
        assert_eq!(again, document, "{}", String::from_utf8_lossy(&buffer));
    }
    document
}

#[test]
fn devinf_1_2() {
    let document = both(
        "<DevInf xmlns='syncml:devinf'><VerDTD>1.2</VerDTD><Man>m</Man><Mod>n</Mod><OEM>o</OEM><FwV>1</FwV>\
         <SwV>2</SwV><HwV>3</HwV><DevID>d</DevID><DevTyp>phone</DevTyp><UTC/><SupportLargeObjs/>\
         <SupportNumberOfChanges/><DataStore><SourceRef>./c</SourceRef><DisplayName>c</DisplayName>\
         <MaxGUIDSize>64</MaxGUIDSize><Rx-Pref><CTType>text/vcard</CTType><VerCT>3.0</VerCT></Rx-Pref>\
         <Tx-Pref><CTType>text/vcard</CTType></Tx-Pref><CTCap><CTType>text/vcard</CTType><VerCT>3.0</VerCT>\
         <Property><PropName>TEL</PropName><MaxOccur>2</MaxOccur><MaxSize>40</MaxSize><NoTruncate/>\
         <ValEnum>a</ValEnum><PropParam><ParamName>TYPE</ParamName><ValEnum>HOME</ValEnum></PropParam></Property>\
         </CTCap><DSMem><SharedMem/><MaxMem>9</MaxMem></DSMem><SyncCap><SyncType>1</SyncType><SyncType>7</SyncType>\
         </SyncCap></DataStore><Ext><XNam>x</XNam><XVal>y</XVal></Ext></DevInf>",
    );
    let Document::DevInf(devinf) = document else { panic!() };
    assert!(devinf.utc && devinf.support_large_objs);
    assert_eq!(devinf.data_stores[0].sync_cap.as_ref().unwrap().sync_types.len(), 2);
    assert!(matches!(devinf.data_stores[0].ct_caps[0].entries[2], CtCapEntry::Property(_)));
}

#[test]
fn devinf_1_1_keeps_the_order_of_its_capabilities() {
    let text = "<DevInf xmlns='syncml:devinf'><VerDTD>1.1</VerDTD><DevID>d</DevID><DevTyp>phone</DevTyp><CTCap>\
                <CTType>text/x-vcard</CTType><PropName>N</PropName><Size>30</Size><PropName>TEL</PropName>\
                <ParamName>HOME</ParamName><ParamName>CELL</ParamName><CTType>text/x-vcalendar</CTType></CTCap></DevInf>";
    let Document::DevInf(devinf) = both(text) else { panic!() };
    let mut xml = Vec::new();
    devinf.encode(&mut xml, &WriteOptions::XML).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(xml.contains("<PropName>N</PropName><Size>30</Size><PropName>TEL</PropName>"), "{xml}");
    let mut wbxml = Vec::new();
    devinf.encode(&mut wbxml, &WriteOptions::WBXML).unwrap();
    assert!(wbxml.starts_with(b"\x02\x9f\x54\x6a\x00\x4a"));
    assert_eq!(DevInf::decode(&wbxml.into(), &Options::STRICT).unwrap(), *devinf);
}

#[test]
fn management_trees() {
    let node = |inside: &str| {
        format!(
            "<Node><NodeName>n</NodeName><Path>.</Path><RTProperties><ACL>Get=*</ACL><Format><chr/></Format>\
             <Size>3</Size></RTProperties><DFProperties><AccessType><Get/><Replace/></AccessType>\
             <DFFormat><node/></DFFormat><Occurrence><ZeroOrN>5</ZeroOrN></Occurrence><Scope><Permanent/></Scope>\
             <DFTitle>t</DFTitle><DFType><DDFName>urn:x</DDFName></DFType><CaseSense><CIS/></CaseSense>\
             </DFProperties><Value>v</Value>{inside}</Node>"
        )
    };
    let tree = node(&(node(&node("")) + &node("")));
    let document =
        both(&format!("<MgmtTree><VerDTD>1.2</VerDTD><Man>m</Man>{tree}{tree}</MgmtTree>"));
    let Document::MgmtTree(tree) = document else { panic!() };
    assert_eq!(tree.nodes.len(), 2);
    assert_eq!(tree.nodes[0].nodes.len(), 2);
    let properties = tree.nodes[0].df_properties.as_ref().unwrap();
    assert!(properties.access_type.replace && properties.df_format.node);
    assert_eq!(properties.occurrence.as_ref().unwrap().zero_or_n, Some(5));
    let deep = "<Node><NodeName>n</NodeName>".repeat(100_000);
    let document = Bytes::from(format!("<MgmtTree><VerDTD>1.2</VerDTD>{deep}"));
    assert!(MgmtTree::decode(&document, &Options::LENIENT).is_err());
}

const PROVISIONING: &str = "<wap-provisioningdoc version='1.1'><characteristic type='BOOTSTRAP'>\
    <parm name='NAME' value='Example'/></characteristic><characteristic type='APPLICATION'>\
    <parm name='APPID' value='w7'/><parm name='ADDR' value='https://dm.example/dm'/><parm name='INIT'/>\
    <characteristic type='APPAUTH'><parm name='AAUTHLEVEL' value='CLIENT'/>\
    <parm name='AAUTHSECRET' value='secret'/></characteristic></characteristic></wap-provisioningdoc>";

#[test]
fn provisioning() {
    let Document::Provisioning(doc) = both(PROVISIONING) else { panic!() };
    assert_eq!(doc.version.as_deref(), Some("1.1"));
    let application = &doc.characteristics[1];
    assert_eq!(application.value("APPID"), Some("w7"));
    assert!(
        matches!(&application.parameters[3], Parameter::Characteristic(inner) if &*inner.kind == "APPAUTH")
    );
    assert!(!format!("{doc:?}").contains("secret"));
    let mut wbxml = Vec::new();
    doc.encode(&mut wbxml, &WriteOptions::WBXML).unwrap();
    // WBXML 1.2, PROV 1.0, UTF-8, no table; the element with version and its text; a characteristic with its type
    // BOOTSTRAP as one token; a parm with NAME as one token and its value.
    let expected =
        b"\x02\x0b\x6a\x00\xc5\x45\x031.1\0\x01\xc6\x56\x01\x87\x07\x06\x03Example\0\x01\x01";
    assert!(wbxml.starts_with(expected), "{wbxml:02x?}");
}

#[test]
fn provisioning_is_refused_where_it_is_none() {
    let read = |text: &str| -> Result<ProvisioningDoc, Error> {
        ProvisioningDoc::decode(&Bytes::copy_from_slice(text.as_bytes()), &Options::STRICT)
    };
    for text in [
        "<wap-provisioningdoc><parm name='a'/></wap-provisioningdoc>",
        "<wap-provisioningdoc><characteristic/></wap-provisioningdoc>",
        "<wap-provisioningdoc><characteristic type='a'><parm/></characteristic></wap-provisioningdoc>",
        "<wap-provisioningdoc><characteristic type='a'>text</characteristic></wap-provisioningdoc>",
        "<wap-provisioningdoc><other/></wap-provisioningdoc>",
        "<SyncML xmlns='SYNCML:SYNCML1.2'/>",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    let deep = "<characteristic type='a'>".repeat(100_000);
    assert!(read(&format!("<wap-provisioningdoc>{deep}")).is_err());
}

/// As published: the version of the format stands in an instruction of an internal subset, white space in the
/// identifier.
#[test]
fn a_tree_with_a_subset_that_declares_nothing_is_read() {
    let text = "<?xml version=\"1.0\"?><!DOCTYPE MgmtTree PUBLIC \" -//OMA//DTD-DM-DDF 1.2//EN\" \
                \"http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd\" \
                [<?oma-dm-ddf-ver supported-versions=\"1.2\"?>]><MgmtTree><VerDTD>1.2</VerDTD></MgmtTree>";
    for options in [Options::STRICT, Options::LENIENT] {
        let tree = MgmtTree::decode(&Bytes::from_static(text.as_bytes()), &options).unwrap();
        assert_eq!(tree.ver_dtd, "1.2");
    }
    let declares = text.replace("<?oma-dm-ddf-ver supported-versions=\"1.2\"?>", "<!ENTITY a 'b'>");
    assert!(MgmtTree::decode(&Bytes::from(declares), &Options::LENIENT).is_err());
}
