//! Query: operation 0x18 (KMIP 1.4, section 4.25).

use bindery_ttlv::{
    RawItem, Text, Ttlv,
    registry::{AttestationType, ClientRegistrationMethod, ObjectType, Operation, QueryFunction},
};

/// What the client wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct QueryRequest {
    /// The questions; at least one.
    #[ttlv(tag = QUERY_FUNCTION)]
    pub query_functions: Vec<QueryFunction>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl QueryRequest {
    /// A request with these questions.
    pub fn new(query_functions: impl Into<Vec<QueryFunction>>) -> Self {
        Self { query_functions: query_functions.into(), unknown: Vec::new() }
    }
}

/// What the server can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct QueryResponse {
    /// The operations.
    #[ttlv(tag = OPERATION)]
    pub operations: Vec<Operation>,
    /// The types of Managed Objects.
    #[ttlv(tag = OBJECT_TYPE)]
    pub object_types: Vec<ObjectType>,
    /// The vendor.
    #[ttlv(tag = VENDOR_IDENTIFICATION)]
    pub vendor_identification: Option<Text>,
    /// A structure of the vendor's.
    #[ttlv(tag = SERVER_INFORMATION)]
    pub server_information: Option<bindery_ttlv::RawValue>,
    /// Namespaces whose Application Data the server makes.
    #[ttlv(tag = APPLICATION_NAMESPACE)]
    pub application_namespaces: Vec<Text>,
    /// The vendor's own tags (1.1).
    #[ttlv(tag = EXTENSION_INFORMATION)]
    pub extension_information: Vec<ExtensionInformation>,
    /// How clients may attest themselves (1.2).
    #[ttlv(tag = ATTESTATION_TYPE)]
    pub attestation_types: Vec<AttestationType>,
    /// RNG Parameters (1.3), as they stood.
    #[ttlv(tag = RNG_PARAMETERS)]
    pub rng_parameters: Vec<bindery_ttlv::RawValue>,
    /// Profile Information (1.3), as it stood.
    #[ttlv(tag = PROFILE_INFORMATION)]
    pub profile_information: Vec<bindery_ttlv::RawValue>,
    /// Validation Information (1.3), as it stood.
    #[ttlv(tag = VALIDATION_INFORMATION)]
    pub validation_information: Vec<bindery_ttlv::RawValue>,
    /// Capability Information (1.3), as it stood.
    #[ttlv(tag = CAPABILITY_INFORMATION)]
    pub capability_information: Vec<bindery_ttlv::RawValue>,
    /// How clients may register themselves (1.3).
    #[ttlv(tag = CLIENT_REGISTRATION_METHOD)]
    pub client_registration_methods: Vec<ClientRegistrationMethod>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Extension Information (section 2.1.9): a vendor's tag.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = EXTENSION_INFORMATION)]
#[non_exhaustive]
pub struct ExtensionInformation {
    /// The name.
    #[ttlv(tag = EXTENSION_NAME)]
    pub extension_name: Text,
    /// The tag, as a number.
    #[ttlv(tag = EXTENSION_TAG)]
    pub extension_tag: Option<i32>,
    /// The item type, as a number.
    #[ttlv(tag = EXTENSION_TYPE)]
    pub extension_type: Option<i32>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
