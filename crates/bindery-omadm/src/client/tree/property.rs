//! Replace of properties.

use bindery_syncml::StatusCode;

use super::{
    Access, Acl, NodePath, Property, Tree,
    path::{self, LONGEST_NAME},
};

/// The longest access control list that a server may give, in octets: each change of the node
/// holds on to it until it is sure, and each node that is added below may have one like it.
const LONGEST_ACL: usize = 8 << 10;

impl Tree {
    /// A server's Replace of a property: ACL, Name or Title.
    ///
    /// # Errors
    /// The status to tell the server; 405 for properties that the device keeps itself.
    pub fn set_property(
        &mut self,
        server: &str,
        path: &NodePath,
        property: Property,
        text: &str,
    ) -> Result<(), StatusCode> {
        let not_allowed = StatusCode::COMMAND_NOT_ALLOWED;
        let Some(node) = self.node(path) else {
            return Err(if self.is_mounted(path) { not_allowed } else { StatusCode::NOT_FOUND });
        };
        let (interior, permanent) = (node.format == "node", node.permanent);
        let segments = path.segments();
        let parent = segments.split_last().map(|(_, parents)| parents);
        match property {
            Property::Acl => {
                // Who may change a leaf may not make itself its master: that is its parent's to
                // say (TND, 7.7.1.2).
                let above = parent.is_some_and(|it| self.may(server, Access::REPLACE, it).is_ok());
                if !above && !interior {
                    return Err(StatusCode::PERMISSION_DENIED);
                }
                if !above {
                    self.may(server, Access::REPLACE, segments)?;
                }
                if text.len() > LONGEST_ACL {
                    return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE);
                }
                let acl: Acl = text.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
                if acl.is_empty() && parent.is_none() {
                    return Err(not_allowed);
                }
                self.change(segments, |node| {
                    node.acl = (!acl.is_empty()).then_some(acl);
                    node.changed();
                    Ok(())
                })
            }
            Property::Title => {
                self.may(server, Access::REPLACE, segments)?;
                if text.len() > LONGEST_NAME {
                    return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE);
                }
                self.change(segments, |node| {
                    node.title = Some(text.to_owned());
                    node.changed();
                    Ok(())
                })
            }
            Property::Name => {
                self.may(server, Access::REPLACE, segments)?;
                let parents = parent.filter(|_| !permanent).ok_or(not_allowed)?;
                self.rename(parents, segments, text)
            }
            Property::Format | Property::Size | Property::Type | Property::VerNo => {
                Err(not_allowed)
            }
        }
    }

    fn rename(
        &mut self,
        parents: &[String],
        segments: &[String],
        name: &str,
    ) -> Result<(), StatusCode> {
        let parsed = NodePath::parse(name)?;
        let [name] = parsed.segments() else { return Err(StatusCode::BAD_REQUEST) };
        let before = segments.last().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
        if self.mounts.keys().any(|mount| mount.starts_with(segments)) {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        let renamed: Vec<String> = parents.iter().chain([name]).cloned().collect();
        let node = self.at(segments).ok_or(StatusCode::NOT_FOUND)?;
        for below in node.nodes() {
            path::fits(&renamed, &below)?;
        }
        if name.len() > before.len() && self.octets + name.len() - before.len() > self.limits.octets
        {
            return Err(StatusCode::DEVICE_FULL);
        }
        self.move_to(parents, before, name)
    }
}
