//! Section 8: ports.

use bindery_taxii::{HttpProfile, Service};
use bindery_transport::Target;

/// proves: TAXII-PORT-1
#[test]
fn ports_are_80_and_443_by_default() {
    for service in Service::ALL {
        let ports: Vec<u16> =
            HttpProfile::new(service).card().ports.iter().map(|port| port.number).collect();
        assert_eq!(ports, [80, 443]);
    }
    for (url, port) in [("http://a.example/x", 80), ("https://a.example/x", 443)] {
        assert_eq!(url.parse::<Target>().unwrap().port(), port);
    }
}
