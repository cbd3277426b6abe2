//! What every device tells of itself: `./DevInfo` and `./DevDetail` (OMA DM standardized objects 1.2).

use bindery_syncml::StatusCode;

use super::tree::{Access, Leaf, Node, NodePath, Tree};

/// `./DevInfo`: sent at the beginning of each session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DevInfo {
    /// `DevId`: unique in the world, such as `IMEI:..` or `urn:uuid:..`.
    pub dev_id: String,
    /// `Man`: the manufacturer.
    pub man: String,
    /// `Mod`: the model.
    pub model: String,
    /// `DmV`: the version of the management client; `1.2`.
    pub dm_v: String,
    /// `Lang`: the language, such as `en-US`.
    pub lang: String,
}

impl DevInfo {
    /// What a device tells of itself; it speaks English.
    pub fn new(
        dev_id: impl Into<String>,
        man: impl Into<String>,
        model: impl Into<String>,
    ) -> Self {
        Self {
            dev_id: dev_id.into(),
            man: man.into(),
            model: model.into(),
            dm_v: "1.2".to_owned(),
            lang: "en".to_owned(),
        }
    }

    /// Writes it into a tree.
    ///
    /// # Errors
    /// The tree is full.
    pub fn put(&self, tree: &mut Tree) -> Result<(), StatusCode> {
        put(
            tree,
            "DevInfo",
            &[
                ("DevId", &self.dev_id),
                ("Man", &self.man),
                ("Mod", &self.model),
                ("DmV", &self.dm_v),
                ("Lang", &self.lang),
            ],
        )
    }
}

/// `./DevDetail`: read where it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DevDetail {
    /// `DevTyp`: the kind of device.
    pub dev_typ: String,
    /// `OEM`: who made it for the manufacturer.
    pub oem: String,
    /// `FwV`: the version of the firmware.
    pub fw_v: String,
    /// `SwV`: the version of the software.
    pub sw_v: String,
    /// `HwV`: the version of the hardware.
    pub hw_v: String,
}

impl DevDetail {
    /// A kind of device with its versions.
    pub fn new(
        dev_typ: impl Into<String>,
        fw_v: impl Into<String>,
        sw_v: impl Into<String>,
        hw_v: impl Into<String>,
    ) -> Self {
        Self {
            dev_typ: dev_typ.into(),
            oem: String::new(),
            fw_v: fw_v.into(),
            sw_v: sw_v.into(),
            hw_v: hw_v.into(),
        }
    }

    /// Writes it into a tree, with what the tree itself can do: large objects, and how long
    /// addresses may be.
    ///
    /// # Errors
    /// The tree is full.
    pub fn put(&self, tree: &mut Tree) -> Result<(), StatusCode> {
        let [depth, total, segment] = super::tree::path_limits().map(|limit| limit.to_string());
        put(
            tree,
            "DevDetail",
            &[
                ("DevTyp", &self.dev_typ),
                ("OEM", &self.oem),
                ("FwV", &self.fw_v),
                ("SwV", &self.sw_v),
                ("HwV", &self.hw_v),
                ("URI/MaxDepth", &depth),
                ("URI/MaxTotLen", &total),
                ("URI/MaxSegLen", &segment),
            ],
        )?;
        let large = Node::leaf(Leaf::new("bool", "true"));
        let path = NodePath::parse("./DevDetail/LrgObj")?;
        tree.put(&path, large.permanent().with_access(Access::GET))
    }
}

/// The path of something in `./DevInfo`.
pub(super) fn dev_info(name: &str) -> NodePath {
    NodePath::default().join("DevInfo").join(name)
}

fn put(tree: &mut Tree, object: &str, leaves: &[(&str, &str)]) -> Result<(), StatusCode> {
    for (name, text) in leaves {
        let leaf = Node::leaf(Leaf::text(*text)).permanent().with_access(Access::GET);
        tree.put(&NodePath::parse(&format!("./{object}/{name}"))?, leaf)?;
    }
    Ok(())
}
