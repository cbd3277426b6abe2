//! Binding and handler on a router.

use std::{fmt, sync::Arc};

use bindery_core::{Bound, Endpoint, Handler, ServerBinding};
use bindery_transport::{MountError, Router};

use crate::{TaxiiHttp, TaxiiRequest, TaxiiResponse};

/// Mounts a TAXII service at the path of the binding's card. `behind` may put the endpoint behind authentication, as
/// `bindery_auth::Guarded` does.
///
/// # Errors
/// The path can be no request's, or is taken.
pub fn mount<H, F>(
    router: Router,
    binding: TaxiiHttp,
    handler: H,
    behind: F,
) -> Result<Router, MountError>
where
    H: Handler<TaxiiRequest, Response = TaxiiResponse> + fmt::Debug + 'static,
    F: FnOnce(Bound<TaxiiHttp, H>) -> Arc<dyn Endpoint>,
{
    let path = ServerBinding::profile(&binding).default_path.clone();
    router.mount(path, behind(Bound::new(binding, handler)))
}
