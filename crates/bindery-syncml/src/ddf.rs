//! The device description framework: which nodes a device has, and what may be done with them (OMA DM TND 1.2).

use bytes::Bytes;

use crate::decode::{self, Decoder, Progress};
use crate::macros::{Structure, field_read, field_rule, field_type, field_write, structure};
use crate::sink::{self, Sink};
use crate::{Attribute, EncodeError, Error, Input, Name, Options, Tag, WriteOptions};

structure! {
    /// MgmtTree: a management tree and its description.
    MgmtTree = DDF_MGMT_TREE {
        /// The version of the document type: `1.2`.
        one ver_dtd: text = DDF_VER_DTD,
        /// Manufacturer.
        opt man: text = DDF_MAN,
        /// Model.
        opt model: text = DDF_MOD,
    }
    {
        /// The nodes at the root.
        nodes: Vec<Node>,
    }
}

structure! {
    /// Node.
    Node = DDF_NODE {
        /// Its name; empty where any name will do.
        one node_name: text = DDF_NODE_NAME,
        /// The path to it.
        opt path: text = DDF_PATH,
        /// The properties that it has now.
        boxed rt_properties: [RtProperties] = DDF_RT_PROPERTIES,
        /// What is fixed about it.
        boxed df_properties: [DfProperties] = DDF_DF_PROPERTIES,
        /// Its value.
        opt value: content = DDF_VALUE,
    }
    {
        /// The nodes inside. They are written behind the fields.
        nodes: Vec<Node>,
    }
}

structure! {
    /// RTProperties: what can change while the device runs.
    RtProperties = DDF_RT_PROPERTIES {
        /// The access control list: `Get=*&Replace=server`.
        opt acl: text = DDF_ACL,
        /// The format of the value.
        opt format: [DdfFormat] = DDF_FORMAT,
        /// The name.
        opt name: text = DDF_NAME,
        /// Bytes of the value.
        opt size: number = DDF_SIZE,
        /// A title for people.
        opt title: text = DDF_TITLE,
        /// When it was changed last.
        opt t_stamp: text = DDF_T_STAMP,
        /// The media type of the value.
        opt kind: content = DDF_TYPE,
        /// The version, counted by the device.
        opt ver_no: text = DDF_VER_NO,
    }
}

macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident = $own:ident { $($(#[$doc:meta])* $field:ident = $tag:ident,)* })*) => {$(
        structure! {
            $(#[$meta])*
            $name = $own {
                $($(#[$doc])* opt $field: flag = $tag,)*
            }
        }
    )*};
}

macro_rules! formats {
    ($($(#[$meta:meta])* $name:ident = $own:ident;)*) => {
        choices! {$(
            $(#[$meta])*
            $name = $own {
                /// Base64 text.
                b64 = DDF_FORMAT_B64,
                /// Octets.
                bin = DDF_FORMAT_BIN,
                /// `true` or `false`.
                bool = DDF_FORMAT_BOOL,
                /// Text.
                chr = DDF_FORMAT_CHR,
                /// An integer.
                int = DDF_FORMAT_INT,
                /// An interior node.
                node = DDF_FORMAT_NODE,
                /// No value.
                null = DDF_FORMAT_NULL,
                /// XML.
                xml = DDF_FORMAT_XML,
                /// A date.
                date = DDF_FORMAT_DATE,
                /// A time.
                time = DDF_FORMAT_TIME,
                /// A number with a fraction.
                float = DDF_FORMAT_FLOAT,
            }
        )*}
    };
}

formats! {
    /// Format: one of its fields is set.
    DdfFormat = DDF_FORMAT;
    /// DFFormat: one of its fields is set.
    DfFormat = DDF_DF_FORMAT;
}

structure! {
    /// DFProperties: what never changes.
    DfProperties = DDF_DF_PROPERTIES {
        /// Which commands the node takes.
        one access_type: [AccessType] = DDF_ACCESS_TYPE,
        /// The value that it has without being told.
        opt default_value: text = DDF_DEFAULT_VALUE,
        /// A description for people.
        opt description: text = DDF_DESCRIPTION,
        /// The format of the value.
        one df_format: [DfFormat] = DDF_DF_FORMAT,
        /// How often it may stand.
        opt occurrence: [Occurrence] = DDF_OCCURRENCE,
        /// Whether it comes and goes.
        opt scope: [Scope] = DDF_SCOPE,
        /// A title for people.
        opt df_title: text = DDF_DF_TITLE,
        /// The media type of the value, or of an interior node its description.
        one df_type: [DfType] = DDF_DF_TYPE,
        /// Whether capitals count in its name.
        opt case_sense: [CaseSense] = DDF_CASE_SENSE,
    }
}

choices! {
    /// AccessType: the commands that a node takes.
    AccessType = DDF_ACCESS_TYPE {
        /// Add.
        add = DDF_ADD,
        /// Copy.
        copy = DDF_COPY,
        /// Delete.
        delete = DDF_DELETE,
        /// Exec.
        exec = DDF_EXEC,
        /// Get.
        get = DDF_GET,
        /// Replace.
        replace = DDF_REPLACE,
    }
    /// Scope: one of its fields is set.
    Scope = DDF_SCOPE {
        /// It is always there.
        permanent = DDF_PERMANENT,
        /// It comes and goes.
        dynamic = DDF_DYNAMIC,
    }
    /// CaseSense: one of its fields is set.
    CaseSense = DDF_CASE_SENSE {
        /// Capitals count.
        cs = DDF_CS,
        /// They do not.
        cis = DDF_CIS,
    }
}

structure! {
    /// Occurrence: one of its fields is set.
    Occurrence = DDF_OCCURRENCE {
        /// Once.
        opt one: flag = DDF_ONE,
        /// At most once.
        opt zero_or_one: flag = DDF_ZERO_OR_ONE,
        /// Any number of times.
        opt zero_or_more: flag = DDF_ZERO_OR_MORE,
        /// At least once.
        opt one_or_more: flag = DDF_ONE_OR_MORE,
        /// At most so many times.
        opt zero_or_n: number = DDF_ZERO_OR_N,
        /// Between once and so many times.
        opt one_or_n: number = DDF_ONE_OR_N,
    }
}

structure! {
    /// DFType: media types, or the name of a description.
    DfType = DDF_DF_TYPE {
        /// Media types.
        many mime: text = DDF_MIME,
        /// The name of a description, mostly a URN.
        opt ddf_name: text = DDF_DDF_NAME,
    }
}

impl MgmtTree {
    /// Reads a document of its own, XML or WBXML by its first byte.
    ///
    /// # Errors
    /// The first fault, by [`ErrorKind`](crate::ErrorKind), with its place.
    pub fn decode(document: &Bytes, options: &Options) -> Result<Self, Error> {
        let input = Input::new(document, options);
        let decoder = &mut Decoder { events: &mut input.events()? };
        let attributes = decode::expect(decoder, Tag::DDF_MGMT_TREE)?;
        let tree = Self::read(attributes, decoder)?;
        decode::end(decoder)?;
        Ok(tree)
    }

    /// Reads the nodes; those that are open are kept on a stack.
    pub(crate) fn read(
        attributes: Vec<Attribute>,
        decoder: &mut Decoder<'_, '_>,
    ) -> Result<Self, Error> {
        let mut tree = Self::default();
        decoder.attributes(&attributes)?;
        tree.others.set_attributes(attributes);
        let mut progress = Progress::default();
        let mut stack: Vec<(Node, Progress)> = Vec::new();
        loop {
            let Some(start) = decoder.child()? else {
                let Some((node, progress)) = stack.pop() else { break };
                decoder.finish::<Node>(&progress)?;
                match stack.last_mut() {
                    Some((parent, _)) => parent.nodes.push(node),
                    None => tree.nodes.push(node),
                }
                continue;
            };
            match (&start.name, stack.last_mut()) {
                (Name::Tag(Tag::DDF_NODE), _) => {
                    decoder.attributes(&start.attributes)?;
                    let mut node = Node::default();
                    node.others.set_attributes(start.attributes);
                    stack.push((node, Progress::default()));
                }
                (_, Some((node, progress))) => decoder.place(node, start, progress)?,
                (_, None) => decoder.place(&mut tree, start, &mut progress)?,
            }
        }
        decoder.finish::<Self>(&progress)?;
        Ok(tree)
    }

    /// Appends the document to the buffer; on an error the buffer is as before.
    ///
    /// # Errors
    /// If the encoding cannot carry what is in it.
    pub fn encode(&self, buffer: &mut Vec<u8>, options: &WriteOptions) -> Result<(), EncodeError> {
        sink::encode(self, buffer, options)
    }

    pub(crate) fn write<S: Sink>(&self, sink: &mut S) {
        self.write_open(sink);
        let mut stack = vec![self.nodes.iter()];
        while let Some(nodes) = stack.last_mut() {
            if let Some(node) = nodes.next() {
                node.write_open(sink);
                stack.push(node.nodes.iter());
            } else {
                stack.pop();
                sink.end();
            }
        }
    }
}
