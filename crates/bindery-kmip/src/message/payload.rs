//! Payloads: what an operation asks and answers, told apart by the Operation beside them.

use bindery_ttlv::{
    Element, Encode, Error, ErrorKind, RawValue, Select, Tag, Writer, registry::Operation,
};

use super::{
    ActivateRequest, ActivateResponse, AddAttributeRequest, AddAttributeResponse,
    AdjustAttributeRequest, AdjustAttributeResponse, ArchiveRequest, ArchiveResponse,
    CancelRequest, CancelResponse, CertifyRequest, CertifyResponse, CheckRequest, CheckResponse,
    CreateKeyPairRequest, CreateKeyPairResponse, CreateRequest, CreateResponse,
    CreateSplitKeyRequest, CreateSplitKeyResponse, DecryptRequest, DecryptResponse,
    DelegatedLoginRequest, DelegatedLoginResponse, DeleteAttributeRequest, DeleteAttributeResponse,
    DeriveKeyRequest, DeriveKeyResponse, DestroyRequest, DestroyResponse, DiscoverVersionsRequest,
    DiscoverVersionsResponse, EncryptRequest, EncryptResponse, ExportRequest, ExportResponse,
    GetAttributeListRequest, GetAttributeListResponse, GetAttributesRequest, GetAttributesResponse,
    GetConstraintsRequest, GetConstraintsResponse, GetRequest, GetResponse,
    GetUsageAllocationRequest, GetUsageAllocationResponse, HashRequest, HashResponse,
    ImportRequest, ImportResponse, InteropRequest, InteropResponse, JoinSplitKeyRequest,
    JoinSplitKeyResponse, LocateRequest, LocateResponse, LogRequest, LogResponse, LoginRequest,
    LoginResponse, LogoutRequest, LogoutResponse, MacRequest, MacResponse, MacVerifyRequest,
    MacVerifyResponse, ModifyAttributeRequest, ModifyAttributeResponse, NotifyRequest,
    NotifyResponse, ObtainLeaseRequest, ObtainLeaseResponse, PingRequest, PingResponse,
    Pkcs11Request, Pkcs11Response, PollRequest, PollResponse, ProcessRequest, ProcessResponse,
    PutRequest, PutResponse, QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse,
    QueryRequest, QueryResponse, ReCertifyRequest, ReCertifyResponse, ReKeyKeyPairRequest,
    ReKeyKeyPairResponse, ReKeyRequest, ReKeyResponse, ReProvisionRequest, ReProvisionResponse,
    RecoverRequest, RecoverResponse, RegisterRequest, RegisterResponse, RevokeRequest,
    RevokeResponse, RngRetrieveRequest, RngRetrieveResponse, RngSeedRequest, RngSeedResponse,
    SetAttributeRequest, SetAttributeResponse, SetConstraintsRequest, SetConstraintsResponse,
    SetDefaultsRequest, SetDefaultsResponse, SetEndpointRoleRequest, SetEndpointRoleResponse,
    SignRequest, SignResponse, SignatureVerifyRequest, SignatureVerifyResponse, ValidateRequest,
    ValidateResponse,
};

/// The operations that have types: one row here and one file make another.
macro_rules! operations {
    ($($name:ident $code:ident $request:ty, $response:ty;)*) => {
        /// The payload of a request.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum RequestPayload {
            $(
                #[doc = concat!("[`Operation::", stringify!($code), "`]")]
                $name(Box<$request>),
            )*
            /// An operation that has no type here, as it stood: the answer is Operation Not
            /// Supported, and the message is written back as it was.
            Unknown(UnknownPayload),
            /// A payload of a known operation that is well-formed TTLV and not that operation's:
            /// only this item fails (KMIP 1.4, section 11.1).
            Faulty(FaultyPayload),
        }

        /// The payload of a response.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ResponsePayload {
            $(
                #[doc = concat!("[`Operation::", stringify!($code), "`]")]
                $name(Box<$response>),
            )*
            /// An operation that has no type here, or none at all, as it stood.
            Unknown(UnknownPayload),
        }

        impl RequestPayload {
            /// The operation that the payload belongs to.
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$code,)*
                    Self::Unknown(unknown) => unknown.operation,
                    Self::Faulty(faulty) => faulty.operation,
                }
            }

            fn typed(operation: Operation, element: Element<'_>) -> Result<Self, Error> {
                Ok(match operation {
                    $(Operation::$code => Self::$name(element.decode()?),)*
                    _ => Self::Unknown(UnknownPayload { operation, raw: element.raw()? }),
                })
            }
        }

        impl Encode for RequestPayload {
            fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
                match self {
                    $(Self::$name(payload) => payload.encode(tag, writer),)*
                    Self::Unknown(unknown) => unknown.raw.encode(tag, writer),
                    Self::Faulty(faulty) => faulty.raw.encode(tag, writer),
                }
            }
        }

        impl ResponsePayload {
            /// The operation that the payload belongs to; 0, which none has, for one that came
            /// without an Operation.
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$code,)*
                    Self::Unknown(unknown) => unknown.operation,
                }
            }

            fn typed(operation: Operation, element: Element<'_>) -> Result<Self, Error> {
                Ok(match operation {
                    $(Operation::$code => Self::$name(element.decode()?),)*
                    _ => Self::Unknown(UnknownPayload { operation, raw: element.raw()? }),
                })
            }
        }

        impl Encode for ResponsePayload {
            fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
                match self {
                    $(Self::$name(payload) => payload.encode(tag, writer),)*
                    Self::Unknown(unknown) => unknown.raw.encode(tag, writer),
                }
            }
        }

        $(
            impl From<$request> for RequestPayload {
                fn from(payload: $request) -> Self {
                    Self::$name(Box::new(payload))
                }
            }

            impl From<$response> for ResponsePayload {
                fn from(payload: $response) -> Self {
                    Self::$name(Box::new(payload))
                }
            }

            impl Request for $request {
                type Response = $response;

                fn response(payload: ResponsePayload) -> Result<$response, ResponsePayload> {
                    match payload {
                        ResponsePayload::$name(payload) => Ok(*payload),
                        other => Err(other),
                    }
                }
            }
        )*
    };
}

operations! {
    Create CREATE CreateRequest, CreateResponse;
    CreateKeyPair CREATE_KEY_PAIR CreateKeyPairRequest, CreateKeyPairResponse;
    Register REGISTER RegisterRequest, RegisterResponse;
    ReKey RE_KEY ReKeyRequest, ReKeyResponse;
    DeriveKey DERIVE_KEY DeriveKeyRequest, DeriveKeyResponse;
    Certify CERTIFY CertifyRequest, CertifyResponse;
    ReCertify RE_CERTIFY ReCertifyRequest, ReCertifyResponse;
    Locate LOCATE LocateRequest, LocateResponse;
    Check CHECK CheckRequest, CheckResponse;
    Get GET GetRequest, GetResponse;
    GetAttributes GET_ATTRIBUTES GetAttributesRequest, GetAttributesResponse;
    GetAttributeList GET_ATTRIBUTE_LIST GetAttributeListRequest, GetAttributeListResponse;
    AddAttribute ADD_ATTRIBUTE AddAttributeRequest, AddAttributeResponse;
    ModifyAttribute MODIFY_ATTRIBUTE ModifyAttributeRequest, ModifyAttributeResponse;
    DeleteAttribute DELETE_ATTRIBUTE DeleteAttributeRequest, DeleteAttributeResponse;
    ObtainLease OBTAIN_LEASE ObtainLeaseRequest, ObtainLeaseResponse;
    GetUsageAllocation GET_USAGE_ALLOCATION GetUsageAllocationRequest, GetUsageAllocationResponse;
    Activate ACTIVATE ActivateRequest, ActivateResponse;
    Revoke REVOKE RevokeRequest, RevokeResponse;
    Destroy DESTROY DestroyRequest, DestroyResponse;
    Archive ARCHIVE ArchiveRequest, ArchiveResponse;
    Recover RECOVER RecoverRequest, RecoverResponse;
    Validate VALIDATE ValidateRequest, ValidateResponse;
    Query QUERY QueryRequest, QueryResponse;
    Cancel CANCEL CancelRequest, CancelResponse;
    Poll POLL PollRequest, PollResponse;
    Notify NOTIFY NotifyRequest, NotifyResponse;
    Put PUT PutRequest, PutResponse;
    ReKeyKeyPair RE_KEY_KEY_PAIR ReKeyKeyPairRequest, ReKeyKeyPairResponse;
    DiscoverVersions DISCOVER_VERSIONS DiscoverVersionsRequest, DiscoverVersionsResponse;
    Encrypt ENCRYPT EncryptRequest, EncryptResponse;
    Decrypt DECRYPT DecryptRequest, DecryptResponse;
    Sign SIGN SignRequest, SignResponse;
    SignatureVerify SIGNATURE_VERIFY SignatureVerifyRequest, SignatureVerifyResponse;
    Mac MAC MacRequest, MacResponse;
    MacVerify MAC_VERIFY MacVerifyRequest, MacVerifyResponse;
    RngRetrieve RNG_RETRIEVE RngRetrieveRequest, RngRetrieveResponse;
    RngSeed RNG_SEED RngSeedRequest, RngSeedResponse;
    Hash HASH HashRequest, HashResponse;
    CreateSplitKey CREATE_SPLIT_KEY CreateSplitKeyRequest, CreateSplitKeyResponse;
    JoinSplitKey JOIN_SPLIT_KEY JoinSplitKeyRequest, JoinSplitKeyResponse;
    Import IMPORT ImportRequest, ImportResponse;
    Export EXPORT ExportRequest, ExportResponse;
    Log LOG LogRequest, LogResponse;
    Login LOGIN LoginRequest, LoginResponse;
    Logout LOGOUT LogoutRequest, LogoutResponse;
    DelegatedLogin DELEGATED_LOGIN DelegatedLoginRequest, DelegatedLoginResponse;
    AdjustAttribute ADJUST_ATTRIBUTE AdjustAttributeRequest, AdjustAttributeResponse;
    SetAttribute SET_ATTRIBUTE SetAttributeRequest, SetAttributeResponse;
    SetEndpointRole SET_ENDPOINT_ROLE SetEndpointRoleRequest, SetEndpointRoleResponse;
    Pkcs11 PKCS_11 Pkcs11Request, Pkcs11Response;
    Interop INTEROP InteropRequest, InteropResponse;
    ReProvision RE_PROVISION ReProvisionRequest, ReProvisionResponse;
    SetDefaults SET_DEFAULTS SetDefaultsRequest, SetDefaultsResponse;
    SetConstraints SET_CONSTRAINTS SetConstraintsRequest, SetConstraintsResponse;
    GetConstraints GET_CONSTRAINTS GetConstraintsRequest, GetConstraintsResponse;
    QueryAsynchronousRequests QUERY_ASYNCHRONOUS_REQUESTS QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse;
    Process PROCESS ProcessRequest, ProcessResponse;
    Ping PING PingRequest, PingResponse;
}

/// A request payload and the response payload that answers it.
pub trait Request: Into<RequestPayload> {
    /// What answers it.
    type Response: Into<ResponsePayload>;

    /// Takes the answer out of a payload.
    ///
    /// # Errors
    /// Gives the payload back when it is another operation's.
    fn response(payload: ResponsePayload) -> Result<Self::Response, ResponsePayload>;
}

/// A payload that has no type here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownPayload {
    /// The operation.
    pub operation: Operation,
    /// The payload as it stood. What keys it holds are not wiped from memory.
    pub raw: RawValue,
}

impl UnknownPayload {
    /// A payload of any operation, already encoded.
    pub const fn new(operation: Operation, raw: RawValue) -> Self {
        Self { operation, raw }
    }
}

/// A payload that its operation does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultyPayload {
    /// The operation.
    pub operation: Operation,
    /// The payload as it stood.
    pub raw: RawValue,
    /// What is wrong with it, and where.
    pub error: Error,
}

impl Select<Operation> for RequestPayload {
    fn decode_selected(operation: &Operation, element: Element<'_>) -> Result<Self, Error> {
        let error = match Self::typed(*operation, element) {
            Ok(payload) => return Ok(payload),
            // A limit protects this side; what passes it is not gone through once more.
            Err(error) if matches!(error.kind(), ErrorKind::Limit { .. }) => return Err(error),
            Err(error) => error,
        };
        // Broken TTLV cannot be kept, and says nothing about the items behind it.
        let Ok(raw) = element.raw() else { return Err(error) };
        Ok(Self::Faulty(FaultyPayload { operation: *operation, raw, error }))
    }
}

impl Select<Option<Operation>> for ResponsePayload {
    fn decode_selected(operation: &Option<Operation>, element: Element<'_>) -> Result<Self, Error> {
        Self::typed(operation.unwrap_or(Operation(0)), element)
    }
}
