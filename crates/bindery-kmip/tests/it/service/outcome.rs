//! What is acknowledged, and what is done: never one without the other where that can be known.

use bindery_kmip::message::{
    AttributeValue, Name, RequestBatchItem, RequestMessage, ResponseMessage,
};
use bindery_ttlv::{
    ProtocolVersion,
    registry::{ResultReason, ResultStatus},
};

use super::{House, create};

/// A Create, and after it another one, with a Maximum Response Size.
fn two_creates(maximum: i32) -> RequestMessage {
    let name = |name| AttributeValue::Name(Name::text(name));
    let items = [create([name("first")]), create([name("second")])].map(RequestBatchItem::new);
    let mut message = RequestMessage::new(ProtocolVersion::V1_2, items.to_vec());
    message.header.maximum_response_size = Some(maximum);
    message
}

fn outcomes(response: &ResponseMessage) -> Vec<(ResultStatus, Option<ResultReason>)> {
    response.batch_items.iter().map(|item| (item.result_status, item.result_reason)).collect()
}

#[test]
fn nothing_is_made_whose_identifier_the_client_could_not_take() {
    let house = House::new();
    let all = house.send(&two_creates(4_096));
    let needed = i32::try_from(all.encode().unwrap().len()).unwrap();
    assert_eq!(house.store.records().len(), 2);

    let exactly = house.send(&two_creates(needed));
    assert_eq!(outcomes(&exactly), [(ResultStatus::SUCCESS, None); 2]);
    assert_eq!(house.store.records().len(), 4);

    for maximum in [needed - 1, 64, 0, -1] {
        let response = house.send(&two_creates(maximum));
        let too_large = (ResultStatus::OPERATION_FAILED, Some(ResultReason::RESPONSE_TOO_LARGE));
        assert_eq!(outcomes(&response), [too_large; 2], "{maximum}");
        assert_eq!(house.store.records().len(), 4, "{maximum}");
    }
}

#[test]
fn a_commit_of_unknown_outcome_is_called_that() {
    let house = House::new();
    house.store.inner().unknown = true;
    let failure = house.call(create([])).unwrap_err();
    assert_eq!(failure.reason, ResultReason::GENERAL_FAILURE);
    let message = failure.message.unwrap();
    assert!(message.contains("not known") && message.contains("look before"), "{message:?}");
    assert!(!message.contains("tablespace"), "the operator's words: {message:?}");
    assert_eq!(house.store.records().len(), 1, "it was made all the same");
    assert_eq!(house.store.inner().committed, 1, "and is not tried again");
}
