//! Query (KMIP 1.4, section 4.25).

use bindery_ttlv::{
    ProtocolVersion, Text,
    registry::{ObjectType, Operation, QueryFunction},
};

use super::Scene;
use crate::message::{Failure, QueryRequest, QueryResponse};

/// The operations that this server does, in the order of their numbers.
const OPERATIONS: [Operation; 40] = [
    Operation::CREATE,
    Operation::CREATE_KEY_PAIR,
    Operation::REGISTER,
    Operation::RE_KEY,
    Operation::DERIVE_KEY,
    Operation::LOCATE,
    Operation::CHECK,
    Operation::GET,
    Operation::GET_ATTRIBUTES,
    Operation::GET_ATTRIBUTE_LIST,
    Operation::ADD_ATTRIBUTE,
    Operation::MODIFY_ATTRIBUTE,
    Operation::DELETE_ATTRIBUTE,
    Operation::OBTAIN_LEASE,
    Operation::GET_USAGE_ALLOCATION,
    Operation::ACTIVATE,
    Operation::REVOKE,
    Operation::DESTROY,
    Operation::ARCHIVE,
    Operation::RECOVER,
    Operation::QUERY,
    Operation::RE_KEY_KEY_PAIR,
    Operation::DISCOVER_VERSIONS,
    Operation::ENCRYPT,
    Operation::DECRYPT,
    Operation::SIGN,
    Operation::SIGNATURE_VERIFY,
    Operation::MAC,
    Operation::MAC_VERIFY,
    Operation::RNG_RETRIEVE,
    Operation::RNG_SEED,
    Operation::HASH,
    Operation::CREATE_SPLIT_KEY,
    Operation::JOIN_SPLIT_KEY,
    Operation::IMPORT,
    Operation::EXPORT,
    Operation::LOG,
    Operation::ADJUST_ATTRIBUTE,
    Operation::SET_ATTRIBUTE,
    Operation::INTEROP,
];

/// Whether this server does an operation.
pub(in crate::service) fn is_offered(operation: Operation) -> bool {
    OPERATIONS.contains(&operation)
}

/// The types of objects that it keeps.
pub(in crate::service) const OBJECT_TYPES: [ObjectType; 7] = [
    ObjectType::CERTIFICATE,
    ObjectType::SYMMETRIC_KEY,
    ObjectType::PUBLIC_KEY,
    ObjectType::PRIVATE_KEY,
    ObjectType::SPLIT_KEY,
    ObjectType::SECRET_DATA,
    ObjectType::OPAQUE_OBJECT,
];

/// Answers what there is something to say about; other functions are answered by saying nothing,
/// as the specification asks.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    request: &QueryRequest,
) -> Result<QueryResponse, Failure> {
    if request.query_functions.is_empty() {
        return Err(Failure::invalid_message("Query needs at least one Query Function"));
    }
    let mut response = QueryResponse::default();
    for function in &request.query_functions {
        match *function {
            QueryFunction::QUERY_OPERATIONS => {
                response.operations = operations(scene.version);
            }
            QueryFunction::QUERY_OBJECTS => response.object_types = OBJECT_TYPES.to_vec(),
            QueryFunction::QUERY_SERVER_INFORMATION => {
                let vendor = Text::from(scene.config.vendor_identification.as_str());
                response.vendor_identification = Some(vendor);
            }
            _ => {}
        }
    }
    Ok(response)
}

fn operations(version: ProtocolVersion) -> Vec<Operation> {
    let there = |operation: &Operation| operation.row().is_none_or(|row| row.since() <= version);
    OPERATIONS.into_iter().filter(there).collect()
}
