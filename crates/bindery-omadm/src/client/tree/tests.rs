//! What taking changes back costs, and that it takes back all of them.

use bindery_syncml::StatusCode;
use bytes::Bytes;

use super::{Access, Acl, Leaf, Node, NodePath, Property, Tree, TreeLimits};

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

/// A tree of many nodes that a server may do everything to.
fn large() -> Tree {
    let mut tree = Tree::new();
    tree.change_root_acl(|_| Acl::everybody(Access::ALL));
    for number in 0..1_000 {
        let at = path(&format!("./A/{}/{number}", number % 10));
        tree.put_text(&at, "value").unwrap();
    }
    tree
}

/// Nodes and octets, counted anew.
fn counted(tree: &Tree) -> (usize, usize) {
    tree.root.size()
}

#[test]
fn what_is_written_down_is_what_was_changed_and_nothing_else() {
    let mut tree = large();
    let steps = |tree: &Tree| tree.journal.as_ref().unwrap().steps.len();
    tree.begin();
    assert_eq!(steps(&tree), 0, "nothing for nothing, however large the tree");
    tree.replace("s", &path("./A/1/1"), Leaf::text("other")).unwrap();
    assert_eq!(steps(&tree), 1);
    // Half of the tree goes by one step, and is moved, not copied.
    let before = std::ptr::from_ref(tree.node(&path("./A/2/2")).unwrap());
    tree.delete("s", &path("./A/2")).unwrap();
    assert_eq!(steps(&tree), 2);
    tree.take_back();
    let after = std::ptr::from_ref(tree.node(&path("./A/2/2")).unwrap());
    assert_eq!(before, after, "the node itself came back, no copy of it");
    assert!(tree.journal.is_none());
}

#[test]
fn everything_is_taken_back() {
    let mut tree = large();
    let mut node = Node::leaf(Leaf::new("int", "1"));
    node.title = Some("one".to_owned());
    tree.put(&path("./A/3/n"), node).unwrap();
    let (before, counts) = (tree.root.clone(), (tree.nodes, tree.octets));
    assert_eq!(counts, counted(&tree));
    tree.begin();
    tree.add("s", &path("./B"), None).unwrap();
    tree.add("s", &path("./B/x"), Some(Leaf::text("x"))).unwrap();
    tree.put_text(&path("./C/d/e/f"), "made on the way").unwrap();
    tree.put_text(&path("./A/0/10"), "in the place of another").unwrap();
    tree.copy("s", &path("./A/1"), &path("./D")).unwrap();
    tree.delete("s", &path("./A/1")).unwrap();
    tree.add("s", &path("./A/1"), None).unwrap();
    tree.replace("s", &path("./A/3/n"), Leaf::new("int", "2")).unwrap();
    tree.set_property("s", &path("./A/3/n"), Property::Title, "two").unwrap();
    tree.set_property("s", &path("./A/3/n"), Property::Acl, "Get=somebody").unwrap();
    tree.set_property("s", &path("./A/3"), Property::Name, "other").unwrap();
    tree.set_property("s", &path("./A/other"), Property::Name, "third").unwrap();
    assert_eq!((tree.nodes, tree.octets), counted(&tree), "counts are kept up");
    tree.take_back();
    assert_eq!(tree.root, before);
    assert_eq!((tree.nodes, tree.octets), counts);
    tree.begin();
    tree.delete("s", &path("./A")).unwrap();
    tree.keep();
    assert!(tree.node(&path("./A")).is_none(), "what is kept stays");
    assert_eq!((tree.nodes, tree.octets), counted(&tree));
}

#[test]
fn types_titles_names_and_lists_count() {
    let limits = TreeLimits { nodes: 100, octets: 1_850 };
    let kind = |length| {
        let mut leaf = Leaf::new("chr", Bytes::new());
        leaf.kind = Some("k".repeat(length));
        leaf
    };
    let mut tree = Tree::new().with_limits(limits);
    tree.change_root_acl(|_| Acl::everybody(Access::ALL));
    assert_eq!(tree.add("s", &path("./A"), Some(kind(2_000))), Err(StatusCode::DEVICE_FULL));
    tree.add("s", &path("./A"), Some(kind(1))).unwrap();
    let full = Err(StatusCode::DEVICE_FULL);
    let before = tree.root.clone();
    assert_eq!(tree.replace("s", &path("./A"), kind(2_000)), full, "a type");
    let acl = format!("Get={}", "server".repeat(400));
    assert_eq!(tree.set_property("s", &path("./A"), Property::Acl, &acl), full, "a list");
    assert_eq!(tree.root, before, "half a change stayed");
    for number in 0..7 {
        let at = path(&format!("./{number}{}", "n".repeat(250)));
        let added = tree.add("s", &at, None);
        // Of seven names the last has no room.
        assert_eq!(added, if number < 6 { Ok(()) } else { full }, "{number}");
    }
    let title = tree.set_property("s", &path("./A"), Property::Title, &"t".repeat(200));
    let name = tree.set_property("s", &path("./A"), Property::Name, &"m".repeat(255));
    assert_eq!((title, name), (Ok(()), full));
    assert_eq!((tree.nodes, tree.octets), counted(&tree));
}

#[test]
fn nothing_stands_deeper_than_an_address_reaches() {
    let mut deep = Node::leaf(Leaf::text("x"));
    for _ in 0..32 {
        let mut above = Node::interior();
        above.children_mut().unwrap().insert("n".to_owned(), deep);
        deep = above;
    }
    let mut tree = Tree::new();
    assert_eq!(tree.put(&path("./A"), deep.clone()), Err(StatusCode::URI_TOO_LONG));
    let fits = deep.child("n").unwrap().clone();
    tree.put(&path("./A"), fits).unwrap();
    let deepest = tree.root.nodes().map(|below| below.depth).max();
    assert_eq!(deepest, Some(32), "copying, comparing and dropping go no deeper");
}
