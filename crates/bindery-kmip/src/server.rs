//! Binding and handler on a router.

use std::{fmt, sync::Arc};

use bindery_core::{Bound, Handler, ServerBinding};
use bindery_transport::{MountError, Router};

use crate::{
    binding::KmipHttps,
    message::{RequestMessage, ResponseMessage},
};

/// Mounts a KMIP service (a key server, or your own handler) at the path of the binding's card.
///
/// # Errors
/// The path can be no request's, or is taken.
pub fn mount<H>(router: Router, binding: KmipHttps, handler: H) -> Result<Router, MountError>
where
    H: Handler<RequestMessage, Response = ResponseMessage> + fmt::Debug + 'static,
{
    let path = ServerBinding::profile(&binding).default_path.clone();
    router.mount(path, Arc::new(Bound::new(binding, handler)))
}
