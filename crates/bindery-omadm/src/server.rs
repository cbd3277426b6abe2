//! Binding and handler on a router.

use std::{fmt, sync::Arc};

use bindery_auth::{Authenticator, Guarded};
use bindery_core::{Bound, Endpoint, Handler};
use bindery_transport::{MountError, Router};

use crate::{
    binding::{DmHttp, Incoming, Outgoing},
    service::{Random, RandomError},
};

/// The random generator of the operating system.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(buffer).map_err(|error| RandomError::new(error.to_string()))
    }
}

/// Mounts a DM service ([`DmServer`](crate::service::DmServer), or your own handler) at the path of
/// the binding's card, and at `*` where [`DmProfile::any_target`](crate::DmProfile) says so.
///
/// # Errors
/// The path can be no request's, or is taken; `*` is taken.
pub fn mount<H>(router: Router, binding: DmHttp, handler: H) -> Result<Router, MountError>
where
    H: Handler<Incoming, Response = Outgoing> + fmt::Debug + 'static,
{
    let any = binding.takes_any_target();
    put(router, any, Arc::new(Bound::new(binding, handler)))
}

/// The same behind HTTP authentication (section 5.4): the account that a request proves becomes
/// the [`Context::principal`](bindery_core::Context) that the service sees.
///
/// # Errors
/// As [`mount`].
pub fn mount_guarded<H>(
    router: Router,
    binding: DmHttp,
    handler: H,
    authenticator: Arc<Authenticator>,
) -> Result<Router, MountError>
where
    H: Handler<Incoming, Response = Outgoing> + fmt::Debug + 'static,
{
    let any = binding.takes_any_target();
    let bound = Bound::new(binding, handler);
    put(router, any, Arc::new(Guarded::new(bound, authenticator)))
}

fn put<E: Endpoint + 'static>(
    router: Router,
    any: bool,
    endpoint: Arc<E>,
) -> Result<Router, MountError> {
    let path = endpoint.profile().default_path.clone();
    let router = router.mount(path, Arc::clone(&endpoint) as Arc<dyn Endpoint>)?;
    if any { router.mount("*", endpoint) } else { Ok(router) }
}
