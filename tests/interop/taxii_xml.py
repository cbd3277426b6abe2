"""The sample messages of bindery-taxii-xml: valid by the schemas (lxml), and read by libtaxii.

Environment: SAMPLES, the folder of the messages; SCHEMAS, the folder of the schemas by dialect.
Prints `ok NAME` or `FAIL NAME: why` for each check.
"""

import os
import sys

import libtaxii.messages_10 as messages_10
import libtaxii.messages_11 as messages_11
import libtaxii.taxii_default_query as default_query
from lxml import etree

SAMPLES = os.environ["SAMPLES"]
SCHEMAS = os.environ["SCHEMAS"]
STUB = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://stix.mitre.org">'
    '<xs:element name="STIX" type="xs:anyType"/></xs:schema>'
)
failed = 0


class Local(etree.Resolver):
    """The schemas that the schemas import: nothing is fetched."""

    def resolve(self, url, public_id, context):
        if url.endswith("STIX.xsd"):
            return self.resolve_string(STUB, context)
        if url.endswith("xmldsig-core-schema.xsd"):
            path = os.path.join(SCHEMAS, "libtaxii", "xmldsig-core-schema.xsd")
            return self.resolve_filename(path, context)
        return None


def schema(path):
    parser = etree.XMLParser(no_network=True, load_dtd=False)
    parser.resolvers.add(Local())
    return etree.XMLSchema(etree.parse(os.path.join(SCHEMAS, path), parser))


def check(name, why):
    global failed
    if why is None:
        print(f"ok {name}")
    else:
        failed += 1
        print(f"FAIL {name}: {why}")


def validated(by, document):
    return None if by.validate(document) else str(by.error_log.last_error)


def read_by(module, document):
    try:
        message = module.get_message_from_xml(etree.tostring(document))
        root = document.getroot()
        if message.message_id != root.get("message_id"):
            return f"libtaxii reads the id {message.message_id}"
        if message.message_type != etree.QName(root).localname:
            return f"libtaxii reads a {message.message_type}"
        blocks = len(root.findall("{*}Content_Block"))
        found = len(getattr(message, "content_blocks", []))
        return None if found == blocks else f"libtaxii finds {found} of {blocks} blocks"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    messages_11.register_query_format(
        format_id="urn:taxii.mitre.org:query:default:1.0",
        query=default_query.DefaultQuery,
        query_info=default_query.DefaultQueryInfo,
        schema=None,
    )
    dialects = {
        "draft": (schema("draft-1.0-2012-11-13/TAXII_XMLSchema_1.0_Draft.xsd"), None),
        "1.0": (schema("final-1.0-2013-04-30/TAXII_XMLMessageBinding_Schema.xsd"), messages_10),
        "1.1": (schema("final-1.1-2014-01-13/TAXII_XMLMessageBinding_Schema.xsd"), messages_11),
    }
    query = schema("final-1.1-2014-01-13/TAXII_DefaultQuery_Schema.xsd")
    names = sorted(os.listdir(SAMPLES))
    for name in names:
        document = etree.parse(os.path.join(SAMPLES, name))
        by, library = dialects[name.split("-")[0]]
        check(f"schema {name}", validated(by, document))
        for element in document.iter("{http://taxii.mitre.org/query/taxii_default_query-1}*"):
            if element.tag.split("}")[1].startswith("Default_Query"):
                check(f"query schema {name}", validated(query, etree.ElementTree(element)))
        if library is not None:
            check(f"libtaxii {name}", read_by(library, document))
    check("there are messages of all dialects", None if len(names) > 60 else f"only {len(names)}")


main()
sys.exit(1 if failed else 0)
