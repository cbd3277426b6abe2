//! The tree itself: limits, and as a document.

use bindery_omadm::client::{Acl, Leaf, Node, NodePath, Property, Tree, TreeLimits};
use bindery_syncml::{Form, StatusCode, WriteOptions};
use bytes::Bytes;

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

fn full() -> Tree {
    let mut tree = super::tree();
    super::account().grant(&mut tree);
    let mut node = Node::leaf(Leaf::new("bin", vec![0, 255, 13, 10]));
    node.acl = Some("Get=*&Replace=a+b".parse().unwrap());
    node.title = Some("A title <&>".to_owned());
    node.ver_no = 65_535;
    tree.put(&path("./A/bin"), node).unwrap();
    for (name, format, data) in [
        ("int", "int", "-7"),
        ("bool", "bool", "true"),
        ("xml", "xml", "<a>\r\n\u{1}</a>"),
        ("null", "null", ""),
        ("ä b%2F", "chr", "\u{1F600}"),
    ] {
        tree.put(&path(&format!("./A/{name}")), Node::leaf(Leaf::new(format, data))).unwrap();
    }
    tree.put(&path("./Empty"), Node::interior().permanent()).unwrap();
    tree
}

#[test]
fn a_tree_comes_back_from_its_document() {
    let tree = full();
    for form in [Form::Xml, Form::Wbxml] {
        let document: Bytes = tree.to_document(&WriteOptions::new(form)).unwrap().into();
        let read = Tree::from_document(&document, TreeLimits::default()).unwrap();
        assert_eq!(read.node(&path(".")), tree.node(&path(".")), "{form:?}");
        // And may grow as far as before.
        assert_eq!(read.to_document(&WriteOptions::new(form)).unwrap(), document);
    }
}

#[test]
fn a_document_of_something_else_is_refused() {
    let document: Bytes = full().to_document(&WriteOptions::XML).unwrap().into();
    for end in (0..document.len()).step_by(97) {
        assert!(Tree::from_document(&document.slice(..end), TreeLimits::default()).is_err());
    }
    let text = String::from_utf8(document.to_vec()).unwrap();
    for (from, to) in [
        ("<NodeName>A</NodeName>", "<NodeName>..</NodeName>"),
        ("Replace=a+b", "Replace"),
        ("<VerNo>65535", "<VerNo>65536"),
        ("<NodeName>.</NodeName>", "<NodeName>x</NodeName>"),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = Bytes::from(text.replace(from, to));
        assert!(Tree::from_document(&changed, TreeLimits::default()).is_err(), "{to}");
    }
    let mut small = TreeLimits::default();
    small.nodes = 10;
    assert!(Tree::from_document(&document, small).is_err());
}

#[test]
fn a_tree_grows_to_its_limits_and_no_further() {
    let mut limits = TreeLimits::default();
    // Beside a hundred octets of values: the root (26), ./A with its name and list (71), name and
    // format of two leaves.
    (limits.nodes, limits.octets) = (5, 100 + 26 + 71 + 2 * 4);
    let mut tree = Tree::new().with_limits(limits);
    let all = Acl::everybody(bindery_omadm::client::Access::ALL);
    let mut interior = Node::interior();
    interior.acl = Some(all);
    tree.put(&path("./A"), interior).unwrap();
    let leaf = |length| Some(Leaf::new("chr", "x".repeat(length)));
    tree.add("s", &path("./A/a"), leaf(60)).unwrap();
    assert_eq!(tree.add("s", &path("./A/b"), leaf(41)), Err(StatusCode::DEVICE_FULL));
    tree.add("s", &path("./A/b"), leaf(40)).unwrap();
    let more = tree.replace("s", &path("./A/b"), leaf(41).unwrap());
    assert_eq!(more, Err(StatusCode::DEVICE_FULL));
    tree.replace("s", &path("./A/a"), leaf(50).unwrap()).unwrap();
    tree.add("s", &path("./A/c"), None).unwrap();
    assert_eq!(tree.add("s", &path("./A/d"), None), Err(StatusCode::DEVICE_FULL));
    assert_eq!(tree.copy("s", &path("./A"), &path("./B")), Err(StatusCode::DEVICE_FULL));
    assert!(tree.node(&path("./B")).is_none(), "half a copy stayed");
    tree.delete("s", &path("./A/a")).unwrap();
    tree.add("s", &path("./A/d"), leaf(50)).unwrap();
}

#[test]
fn copies_and_names_stay_within_the_limits_of_an_address() {
    let mut tree = Tree::default();
    let mut interior = Node::interior();
    interior.acl = Some("Add=*&Get=*&Replace=*&Delete=*".parse().unwrap());
    tree.put(&path("./A"), interior).unwrap();
    let deep = |root: &str, depth: usize| path(&format!("./A/{root}{}", "/n".repeat(depth)));
    for depth in 0..20 {
        tree.add("s", &deep("a", depth), None).unwrap();
        tree.add("s", &deep("b", depth), None).unwrap();
    }
    let too_deep = tree.copy("s", &deep("a", 0), &deep("b", 20));
    assert_eq!(too_deep, Err(StatusCode::URI_TOO_LONG));
    assert!(tree.node(&deep("b", 20)).is_none(), "half a copy stayed");
    tree.copy("s", &deep("a", 15), &deep("b", 20)).unwrap();
    let long = "x".repeat(250);
    // What is inside of the fourth would have an address of 1,041 octets.
    let expected = [Ok(()), Ok(()), Ok(()), Err(StatusCode::URI_TOO_LONG)];
    for (depth, expected) in expected.into_iter().enumerate() {
        let names = format!("/{long}").repeat(depth);
        let node = path(&format!("./A/a{names}/n"));
        assert_eq!(tree.set_property("s", &node, Property::Name, &long), expected, "{depth}");
    }
    let title = tree.set_property("s", &deep("b", 0), Property::Title, &"t".repeat(256));
    assert_eq!(title, Err(StatusCode::REQUEST_ENTITY_TOO_LARGE));
    tree.set_property("s", &deep("b", 0), Property::Title, &"t".repeat(255)).unwrap();
}
