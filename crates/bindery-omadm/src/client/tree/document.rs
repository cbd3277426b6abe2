//! The tree as a document: a `MgmtTree` of the device description framework, in XML or WBXML.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_syncml::{
    AccessType, Content, DdfFormat, DfFormat, DfProperties, EncodeError, MgmtTree, Options,
    RtProperties, Scope, WriteOptions,
};
use bytes::Bytes;
use thiserror::Error;

use super::{Access, Node, NodePath, Tree, TreeLimits, Value};

/// A document that is no tree of ours.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TreeError {
    /// It cannot be read.
    #[error("the tree's document cannot be read: {0}")]
    Document(#[from] bindery_syncml::Error),
    /// A node in it cannot be taken.
    #[error("{path}: {reason}: the document was not written by this program, or was changed")]
    Node {
        /// Where.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Tree {
    /// Writes the tree, without what is mounted.
    ///
    /// # Errors
    /// The encoding cannot carry some value: none that a tree takes.
    pub fn to_document(&self, options: &WriteOptions) -> Result<Vec<u8>, EncodeError> {
        let mut document = MgmtTree { ver_dtd: "1.2".into(), ..MgmtTree::default() };
        // All nodes with their depth; children follow their parents, so they are put into it
        // from the end.
        let mut open: Vec<(usize, bindery_syncml::Node)> = Vec::new();
        for below in self.root.nodes() {
            close(&mut open, below.depth, &mut document);
            let name = if below.depth == 0 { "." } else { below.name };
            open.push((below.depth, written(name, below.node)));
        }
        close(&mut open, 0, &mut document);
        let mut octets = Vec::new();
        document.encode(&mut octets, options)?;
        Ok(octets)
    }

    /// Reads what [`to_document`](Self::to_document) wrote.
    ///
    /// # Errors
    /// The octets are something else, or more than the limits allow.
    pub fn from_document(octets: &Bytes, limits: TreeLimits) -> Result<Self, TreeError> {
        let document = MgmtTree::decode(octets, &Options::LENIENT)?;
        let mut tree = Self::new().with_limits(limits);
        let root = document.nodes.iter().find(|node| &*node.node_name == ".");
        let root =
            root.ok_or_else(|| TreeError::Node { path: ".".into(), reason: "there is no root" })?;
        let read_root = read(root, ".")?;
        let of_root = tree.change(&[], |root| {
            (root.acl, root.title, root.ver_no) =
                (read_root.acl, read_root.title, read_root.ver_no);
            Ok(())
        });
        let small = |_| TreeError::Node { path: ".".into(), reason: "it does not fit" };
        of_root.map_err(small)?;
        let mut stack: Vec<(NodePath, &bindery_syncml::Node)> =
            root.nodes.iter().map(|node| (NodePath::default(), node)).collect();
        while let Some((parent, node)) = stack.pop() {
            let wrong =
                |reason| TreeError::Node { path: format!("{parent}/{}", node.node_name), reason };
            let path = parent.join(&node.node_name);
            let checked = NodePath::parse(&path.to_string());
            if checked.as_ref() != Ok(&path) {
                return Err(wrong("its name is none"));
            }
            let read = read(node, &path.to_string())?;
            if matches!(read.value, Value::Leaf(_)) && !node.nodes.is_empty() {
                return Err(wrong("a leaf has nodes in it"));
            }
            tree.put(&path, read).map_err(|_| wrong("it does not fit"))?;
            stack.extend(node.nodes.iter().map(|inner| (path.clone(), inner)));
        }
        Ok(tree)
    }
}

/// Puts the nodes that are done, from `depth` on, into their parents.
fn close(open: &mut Vec<(usize, bindery_syncml::Node)>, depth: usize, document: &mut MgmtTree) {
    while open.last().is_some_and(|(at, _)| *at >= depth) {
        let Some((_, done)) = open.pop() else { return };
        match open.last_mut() {
            Some((_, parent)) => parent.nodes.push(done),
            None => document.nodes.push(done),
        }
    }
}

fn written(name: &str, node: &Node) -> bindery_syncml::Node {
    let value = match &node.value {
        Value::Interior(_) => None,
        // Base64 for all: XML takes not every text, and ends of lines not as they are.
        Value::Leaf(data) => Some(Content::Text(STANDARD.encode(data).into())),
    };
    let mut format = DdfFormat::default();
    let mut fixed = DfFormat::default();
    if let (Some(flag), Some(same)) =
        (ddf_flag(&mut format, &node.format), df_flag(&mut fixed, &node.format))
    {
        (*flag, *same) = (true, true);
    }
    let rt = RtProperties {
        acl: node.acl.as_ref().map(|acl| acl.to_string().into()),
        format: Some(format),
        title: node.title.as_deref().map(Into::into),
        kind: node.kind.as_deref().map(Into::into),
        ver_no: Some(u32::from(node.ver_no).into()),
        ..RtProperties::default()
    };
    let df = DfProperties {
        access_type: access_type(node.access),
        df_format: fixed,
        scope: Some(Scope {
            permanent: node.permanent,
            dynamic: !node.permanent,
            ..Scope::default()
        }),
        ..DfProperties::default()
    };
    bindery_syncml::Node {
        node_name: name.into(),
        rt_properties: Some(Box::new(rt)),
        df_properties: Some(Box::new(df)),
        value,
        ..bindery_syncml::Node::default()
    }
}

fn read(node: &bindery_syncml::Node, path: &str) -> Result<Node, TreeError> {
    let wrong = |reason| TreeError::Node { path: path.to_owned(), reason };
    let rt = node.rt_properties.as_deref().ok_or_else(|| wrong("RTProperties are missing"))?;
    let df = node.df_properties.as_deref().ok_or_else(|| wrong("DFProperties are missing"))?;
    let mut format = rt.format.clone().unwrap_or_default();
    let named = FORMATS.iter().find(|name| ddf_flag(&mut format, name).is_some_and(|it| *it));
    let format = named.ok_or_else(|| wrong("it has no format"))?;
    let mut read = Node::interior();
    if *format != "node" {
        let value = node.value.as_ref().and_then(Content::as_str).unwrap_or_default();
        let data = STANDARD.decode(value).map_err(|_| wrong("its value is not in Base64"))?;
        read.value = Value::Leaf(data.into());
    }
    read.format = (*format).to_owned();
    read.kind = rt.kind.as_ref().and_then(Content::as_str).map(str::to_owned);
    read.title = rt.title.as_deref().map(str::to_owned);
    let acl = rt.acl.as_deref().map(str::parse).transpose();
    read.acl = acl.map_err(|_| wrong("its ACL is none"))?;
    let ver_no = rt.ver_no.as_deref().unwrap_or("0").parse();
    read.ver_no = ver_no.map_err(|_| wrong("its VerNo is no number"))?;
    read.access = access(&df.access_type);
    read.permanent = df.scope.as_ref().is_some_and(|scope| scope.permanent);
    Ok(read)
}

const FORMATS: [&str; 11] =
    ["b64", "bin", "bool", "chr", "int", "node", "null", "xml", "date", "time", "float"];

/// Whether a node may have this format.
pub(super) fn is_format(name: &str) -> bool {
    FORMATS.contains(&name)
}

macro_rules! flags {
    ($($function:ident: $format:ty),*) => {$(
        /// The flag of a format's name.
        fn $function<'f>(format: &'f mut $format, name: &str) -> Option<&'f mut bool> {
            Some(match name {
                "b64" => &mut format.b64,
                "bin" => &mut format.bin,
                "bool" => &mut format.bool,
                "chr" => &mut format.chr,
                "int" => &mut format.int,
                "node" => &mut format.node,
                "null" => &mut format.null,
                "xml" => &mut format.xml,
                "date" => &mut format.date,
                "time" => &mut format.time,
                "float" => &mut format.float,
                _ => return None,
            })
        }
    )*};
}

flags!(ddf_flag: DdfFormat, df_flag: DfFormat);

fn access_type(access: Access) -> AccessType {
    AccessType {
        add: access.contains(Access::ADD),
        copy: access.contains(Access::COPY),
        delete: access.contains(Access::DELETE),
        exec: access.contains(Access::EXEC),
        get: access.contains(Access::GET),
        replace: access.contains(Access::REPLACE),
        ..AccessType::default()
    }
}

fn access(from: &AccessType) -> Access {
    [
        (from.add, Access::ADD),
        (from.copy, Access::COPY),
        (from.delete, Access::DELETE),
        (from.exec, Access::EXEC),
        (from.get, Access::GET),
        (from.replace, Access::REPLACE),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .fold(Access::NONE, |all, (_, one)| all | one)
}
