//! Arbitrary sequences of batches, held against a model of the life cycle.

use bindery_kmip::message::{
    ActivateRequest, AttributeValue, CreateRequest, DestroyRequest, GetRequest, LocateRequest,
    RequestPayload, ResponseBatchItem, UniqueIdentifier,
};
use bindery_ttlv::{
    DateTime,
    registry::{
        BatchErrorContinuationOption as Continuation, ResultStatus, RevocationReasonCode as Code,
        State,
    },
};
use proptest::{collection::vec, prelude::*};

use super::{House, create, revoke, typed};

/// One item; objects are meant by their place among those that were ever asked for.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// With an Activation Date and a Deactivation Date so many seconds from now.
    Create(Option<i64>, Option<i64>),
    Activate(usize),
    Revoke(usize, bool),
    Destroy(usize),
    Get(usize),
    Locate,
    Broken,
}

fn step() -> impl Strategy<Value = Step> {
    let object = 0..6_usize;
    let date = || prop::option::of(-20..40_i64);
    prop_oneof![
        3 => (date(), date()).prop_map(|(from, to)| Step::Create(from, to)),
        3 => object.clone().prop_map(Step::Activate),
        4 => (object.clone(), any::<bool>()).prop_map(|(at, bad)| Step::Revoke(at, bad)),
        3 => object.clone().prop_map(Step::Destroy),
        2 => object.prop_map(Step::Get),
        1 => Just(Step::Locate),
        1 => Just(Step::Broken),
    ]
}

fn continuation() -> impl Strategy<Value = Continuation> {
    prop_oneof![Just(Continuation::STOP), Just(Continuation::CONTINUE), Just(Continuation::UNDO)]
}

/// An object as the specification tells its life, and not as the engine keeps it.
#[derive(Clone, Debug, Default)]
struct Model {
    activation: Option<i64>,
    deactivation: Option<i64>,
    compromised: bool,
    destroyed: bool,
}

impl Model {
    fn state(&self, now: i64) -> State {
        let come = |date: Option<i64>| date.is_some_and(|date| date <= now);
        match (self.destroyed, self.compromised) {
            (true, true) => State::DESTROYED_COMPROMISED,
            (true, false) => State::DESTROYED,
            (false, true) => State::COMPROMISED,
            (false, false) if !come(self.activation) => State::PRE_ACTIVE,
            (false, false) if come(self.deactivation) => State::DEACTIVATED,
            (false, false) => State::ACTIVE,
        }
    }

    /// Does the step, or says that it is not allowed.
    fn take(&mut self, step: Step, now: i64) -> bool {
        let state = self.state(now);
        match step {
            Step::Activate(_) => {
                let over = self.deactivation.is_some_and(|date| date <= now);
                let allowed = state == State::PRE_ACTIVE && !over;
                if allowed {
                    self.activation = Some(now);
                }
                allowed
            }
            Step::Revoke(_, true) => !std::mem::replace(&mut self.compromised, true),
            Step::Revoke(_, false) => {
                let allowed = state == State::ACTIVE;
                if allowed {
                    self.deactivation = Some(now);
                }
                allowed
            }
            Step::Destroy(_) => {
                let allowed = !self.destroyed && state != State::ACTIVE;
                self.destroyed |= allowed;
                allowed
            }
            Step::Get(_) => !self.destroyed,
            Step::Create(..) | Step::Locate | Step::Broken => true,
        }
    }
}

/// The objects that there are, by their identifiers.
#[derive(Default)]
struct World {
    objects: Vec<(UniqueIdentifier, Model)>,
}

impl World {
    fn payload(&self, step: Step, now: i64) -> RequestPayload {
        let uid = |at: usize| match self.objects.get(at) {
            Some((uid, _)) => uid.clone(),
            None => UniqueIdentifier::from("nobody"),
        };
        match step {
            Step::Create(from, to) => {
                let from = from.map(|from| AttributeValue::ActivationDate(DateTime(now + from)));
                let to = to.map(|to| AttributeValue::DeactivationDate(DateTime(now + to)));
                create(from.into_iter().chain(to)).into()
            }
            Step::Activate(at) => ActivateRequest::new(uid(at)).into(),
            Step::Revoke(at, true) => revoke(&uid(at), Code::KEY_COMPROMISE).into(),
            Step::Revoke(at, false) => revoke(&uid(at), Code::SUPERSEDED).into(),
            Step::Destroy(at) => DestroyRequest::new(uid(at)).into(),
            Step::Get(at) => GetRequest::new(uid(at)).into(),
            Step::Locate => LocateRequest::default().into(),
            Step::Broken => create([State::ACTIVE.into()]).into(),
        }
    }

    /// What the item comes to: objects made in this batch are not yet known by name.
    fn expect(objects: &mut Vec<Model>, known: usize, step: Step, now: i64) -> bool {
        match step {
            Step::Create(from, to) => {
                let fits = from.zip(to).is_none_or(|(from, to)| from <= to);
                if fits {
                    let (activation, deactivation) =
                        (from.map(|at| now + at), to.map(|at| now + at));
                    objects.push(Model { activation, deactivation, ..Model::default() });
                }
                fits
            }
            Step::Activate(at) | Step::Revoke(at, _) | Step::Destroy(at) | Step::Get(at) => {
                let object = objects.get_mut(at).filter(|_| at < known);
                object.is_some_and(|object| object.take(step, now))
            }
            Step::Locate => true,
            Step::Broken => false,
        }
    }

    /// Holds a batch's answers against the model, and moves the model on.
    fn follow(
        &mut self,
        steps: &[Step],
        continuation: Continuation,
        answers: &[ResponseBatchItem],
        now: i64,
    ) {
        let known = self.objects.len();
        let mut models: Vec<Model> = self.objects.iter().map(|(_, model)| model.clone()).collect();
        let mut expected = Vec::new();
        let mut undone = false;
        for step in steps {
            let fine = Self::expect(&mut models, known, *step, now);
            expected.push(if fine {
                ResultStatus::SUCCESS
            } else {
                ResultStatus::OPERATION_FAILED
            });
            if !fine && continuation != Continuation::CONTINUE {
                undone = continuation == Continuation::UNDO;
                break;
            }
        }
        if undone {
            for status in &mut expected {
                if *status == ResultStatus::SUCCESS {
                    *status = ResultStatus::OPERATION_UNDONE;
                }
            }
            models.truncate(0);
        }
        let statuses: Vec<_> = answers.iter().map(|answer| answer.result_status).collect();
        assert_eq!(statuses, expected, "{steps:?} {continuation:?}");
        if undone {
            return;
        }
        let made = answers.iter().zip(steps).filter(|(answer, step)| {
            matches!(step, Step::Create(..)) && answer.failure().is_none()
        });
        let uids = made
            .map(|(answer, _)| typed::<CreateRequest>(answer.clone()).unwrap().unique_identifier);
        let uids: Vec<UniqueIdentifier> =
            self.objects.iter().map(|(uid, _)| uid.clone()).chain(uids).collect();
        assert_eq!(uids.len(), models.len());
        self.objects = uids.into_iter().zip(models).collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// The answers are the model's, a refused or undone item leaves no trace in the store, and no
    /// object is ever in a state that its life does not lead to.
    #[test]
    fn the_life_cycle_holds(
        batches in vec((continuation(), vec(step(), 1..6), 0..15_i64), 1..12),
    ) {
        let house = House::new();
        let mut world = World::default();
        for (continuation, steps, seconds) in batches {
            house.pass(seconds);
            let now = house.now();
            let before = house.store.records();
            let payloads = steps.iter().map(|step| world.payload(*step, now)).collect();
            let answers = house.batch(continuation, payloads);
            world.follow(&steps, continuation, &answers, now);
            let done = |answer: &ResponseBatchItem| answer.result_status == ResultStatus::SUCCESS;
            if !answers.iter().any(done) {
                assert_eq!(house.store.records(), before);
            }
            let records = house.store.records();
            assert_eq!(records.len(), world.objects.len());
            for (uid, model) in &world.objects {
                assert_eq!(house.state(uid), Some(model.state(now)), "{model:?}");
                let material = records[uid.as_text().unwrap()].record.material.is_some();
                assert_eq!(material, !model.destroyed);
            }
        }
    }
}
