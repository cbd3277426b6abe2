//! The plan of the device management service.

use bindery_core::AuthScheme;
use bindery_omadm::{
    DmProfile,
    service::{DmServerConfig, Scheme},
};

use super::{Planner, SMALLEST_REQUEST, is_path, taxii::AuthPlan};
use crate::config::{Protocol, ServiceName, omadm::SchemeName, taxii::HttpAuth};

/// The device management service.
#[derive(Debug)]
pub(crate) struct OmadmPlan {
    pub(crate) profile: DmProfile,
    pub(crate) engine: DmServerConfig,
    pub(crate) auth: AuthPlan,
}

impl Planner<'_> {
    pub(super) fn omadm(&mut self) -> Option<OmadmPlan> {
        let service = self.loaded.value.service.omadm.as_ref()?;
        if !is_path(&service.path) {
            let reason = format!("{:?} is no path", service.path);
            self.problem("service.omadm.path", reason, "write it like /omadm");
        }
        if service.request_limit < SMALLEST_REQUEST || service.request_limit < service.max_msg_size
        {
            let reason = format!(
                "{} octets are less than the messages that devices may send",
                service.request_limit
            );
            let remedy = "give at least max_msg_size; the default is 1048576";
            self.problem("service.omadm.request_limit", reason, remedy);
        }
        if service.schemes.is_empty() {
            let remedy = "leave the key out, or name \"md5\", \"mac\" or \"basic\"";
            self.problem("service.omadm.schemes", "devices could not prove themselves", remedy);
        }
        if service.dangerous_basic_in_clear {
            self.warnings.push(
                "service.omadm.dangerous_basic_in_clear: whoever listens gets devices' passwords"
                    .to_owned(),
            );
        }
        let auth = self.auth("service.omadm.http_auth", &service.http_auth, false);
        let clear =
            self.loaded.value.listener.values().any(|one| {
                one.protocol == Protocol::DangerousClearHttp && one.has(ServiceName::Omadm)
            });
        let mut profile = DmProfile::default();
        profile.path = service.path.clone().into();
        profile.any_target = service.any_target;
        profile.request_body_limit = service.request_limit.into();
        profile.strict = service.strict;
        // Such a listener is asked for in so many words.
        profile.dangerous_clear = clear;
        let mut engine = DmServerConfig::default();
        engine.url.clone_from(&service.url);
        engine.schemes = service
            .schemes
            .iter()
            .map(|scheme| match scheme {
                SchemeName::Basic => Scheme::Basic,
                SchemeName::Md5 => Scheme::Md5,
                SchemeName::Mac => Scheme::Mac,
            })
            .collect();
        engine.dangerous_basic_in_clear = service.dangerous_basic_in_clear;
        engine.register = service.register;
        engine.bind_to_address = service.bind_to_address;
        engine.max_msg_size = service.max_msg_size;
        engine.max_obj_size = service.max_obj_size;
        engine.session_timeout = service.session_timeout.duration();
        engine.results = service.results;
        Some(OmadmPlan { profile, engine, auth })
    }

    /// How clients of a service prove passwords over HTTP.
    pub(super) fn auth(&mut self, key: &str, schemes: &[HttpAuth], anonymous: bool) -> AuthPlan {
        let settings = &self.loaded.value.accounts;
        if !schemes.is_empty() && settings.file.is_none() {
            self.problem(
                key,
                "there are no accounts that could prove a password",
                "name a file under [accounts]; `bindery account set` writes it",
            );
        }
        let schemes = schemes.iter().map(|scheme| match scheme {
            HttpAuth::Basic => AuthScheme::Basic,
            HttpAuth::Digest => AuthScheme::Digest,
        });
        AuthPlan { realm: settings.realm.clone(), schemes: schemes.collect(), anonymous }
    }
}
