//! From a request's target to the endpoint behind it.

use std::{collections::BTreeMap, sync::Arc};

use bindery_core::Endpoint;
use thiserror::Error;

/// Which endpoint stands at which path.
///
/// Paths are compared exactly and octet by octet, as they stand in the request: without the
/// query, without decoding. `*` is the target of `OPTIONS *` and its like.
#[derive(Clone, Debug, Default)]
pub struct Router {
    routes: BTreeMap<String, Arc<dyn Endpoint>>,
    refuser: Option<Arc<dyn Endpoint>>,
}

/// Why an endpoint cannot be mounted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MountError {
    /// The path can be no request's.
    #[error(
        "{path:?} is no path: write / and what follows in visible ASCII, without ? and #, or *"
    )]
    Path {
        /// The path.
        path: String,
    },
    /// An endpoint stands there already.
    #[error("two endpoints are mounted at {path}; give one of them another path")]
    Taken {
        /// The path.
        path: String,
    },
}

impl Router {
    /// A router without routes: every target is unknown.
    pub const fn new() -> Self {
        Self { routes: BTreeMap::new(), refuser: None }
    }

    /// Puts an endpoint at a path.
    ///
    /// # Errors
    /// The path can be no request's, or is taken.
    pub fn mount(
        mut self,
        path: impl Into<String>,
        endpoint: Arc<dyn Endpoint>,
    ) -> Result<Self, MountError> {
        let path = path.into();
        let visible = |octet: u8| octet.is_ascii_graphic() && octet != b'?' && octet != b'#';
        if path != "*" && !(path.starts_with('/') && path.bytes().all(visible)) {
            return Err(MountError::Path { path });
        }
        if self.routes.contains_key(&path) {
            return Err(MountError::Taken { path });
        }
        self.routes.insert(path, endpoint);
        Ok(self)
    }

    /// Has an endpoint write the refusals where nothing stands ([`Endpoint::refuse`]), for a protocol whose responses all
    /// have something in common, or that hides what is there. Without one they are a short text, or a field where all
    /// endpoints say so.
    #[must_use]
    pub fn refuse_by(mut self, endpoint: Arc<dyn Endpoint>) -> Self {
        self.refuser = Some(endpoint);
        self
    }

    /// Who writes the refusals where nothing stands, if somebody does.
    pub fn refuser(&self) -> Option<&Arc<dyn Endpoint>> {
        self.refuser.as_ref()
    }

    /// The endpoint at a path.
    pub fn at(&self, path: &str) -> Option<&Arc<dyn Endpoint>> {
        self.routes.get(path)
    }

    /// The routes, by path.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &Arc<dyn Endpoint>)> {
        self.routes.iter().map(|(path, endpoint)| (path.as_str(), endpoint))
    }
}
