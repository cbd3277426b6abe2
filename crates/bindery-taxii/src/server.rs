//! Binding and handler on a router.

use std::{fmt, sync::Arc};

use bindery_core::{Bound, Endpoint, Handler, ServerBinding};
use bindery_transport::{MountError, Router};

use crate::{TaxiiHttp, TaxiiRequest, TaxiiResponse};

/// Mounts a TAXII service at the path of the binding's card. `behind` may put the endpoint behind authentication, as
/// `bindery_auth::Guarded` does.
///
/// The first one also writes the router's refusals where nothing stands, unless another endpoint does
/// ([`Router::refuse_by`]): `X-TAXII-Protocol` is in every response (draft, section 6.1), and what is hidden by a 404
/// looks like what is not there (section 7).
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
    let endpoint = behind(Bound::new(binding, handler));
    let router = router.mount(path, Arc::clone(&endpoint))?;
    Ok(if router.refuser().is_none() { router.refuse_by(endpoint) } else { router })
}
