//! Rows to values.

use std::time::Duration;

use bindery_core::{Principal, Timestamp};
use bindery_taxii::service::{
    Block, Collection, CollectionState, FeedStoreError, Offers, Part, ResultPart, ResultSet,
    ResultState, Retention, StoredBlock, Subject, Subscription, Versioned, Window,
};
use bindery_taxii_xml::{CollectionType, ResponseType, SubscriptionStatus};
use sqlx::{ColumnIndex, Decode, Row, Sqlite, Type, sqlite::SqliteRow};

use super::pack;

pub(super) const COLLECTION: &str = "name, version, mark, blocks, data_set, description, enabled, volume, offers, \
                                     keep_micros, keep_blocks, bindings, grants";

pub(super) const SUBSCRIPTION: &str = "s.id, f.name, s.owner, s.created, s.version, s.status, s.counts, s.bindings, \
                                       s.query, s.push";

pub(super) const RESULT: &str = "r.id, f.name, r.owner, r.created, r.expires, r.version, r.begin_label, r.end_label, \
                                 r.state, r.failure, r.counts, r.subscription, r.bindings, r.query, r.push, \
                                 r.blocks, r.parts";

pub(super) const PART: &str = "number, begin_label, end_label, blocks, more";

/// Why a row is no value.
pub(super) type Unread = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn damaged(subject: Subject, reason: &Unread) -> FeedStoreError {
    FeedStoreError::Damaged { subject, reason: reason.to_string() }
}

/// A row that is read column by column.
struct Columns<'a> {
    row: &'a SqliteRow,
    next: usize,
}

impl<'a> Columns<'a> {
    const fn of(row: &'a SqliteRow) -> Self {
        Self { row, next: 0 }
    }

    fn take<T: Decode<'a, Sqlite> + Type<Sqlite>>(&mut self) -> Result<T, Unread>
    where
        usize: ColumnIndex<SqliteRow>,
    {
        let place = self.next;
        self.next += 1;
        Ok(self.row.try_get(place)?)
    }

    fn flag(&mut self) -> Result<bool, Unread> {
        Ok(self.take::<i64>()? != 0)
    }

    fn number(&mut self) -> Result<u64, Unread> {
        Ok(u64::try_from(self.take::<i64>()?)?)
    }

    fn maybe_number(&mut self) -> Result<Option<u64>, Unread> {
        Ok(self.take::<Option<i64>>()?.map(u64::try_from).transpose()?)
    }

    fn time(&mut self) -> Result<Timestamp, Unread> {
        self.take().map(Timestamp::from_unix_micros)
    }

    fn maybe_time(&mut self) -> Result<Option<Timestamp>, Unread> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp::from_unix_micros))
    }

    fn owner(&mut self) -> Result<Option<Principal>, Unread> {
        Ok(self.take::<Option<String>>()?.map(Principal::new))
    }

    fn packed<T>(&mut self, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, Unread> {
        read(self.take()?).ok_or_else(unpacked)
    }

    fn maybe_packed<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Unread> {
        match self.take::<Option<&[u8]>>()? {
            None => Ok(None),
            Some(packed) => read(packed).ok_or_else(unpacked).map(Some),
        }
    }

    fn response_type(&mut self) -> Result<ResponseType, Unread> {
        Ok(if self.flag()? { ResponseType::CountOnly } else { ResponseType::Full })
    }
}

fn unpacked() -> Unread {
    "a list is not what was stored".into()
}

pub(super) fn collection(row: &SqliteRow) -> Result<CollectionState, Unread> {
    let mut columns = Columns::of(row);
    let mut one = Collection::new(columns.take::<String>()?, "");
    let (version, mark, blocks) = (columns.number()?, columns.time()?, columns.number()?);
    let set = columns.flag()?;
    one.kind = if set { CollectionType::DataSet } else { CollectionType::DataFeed };
    one.description = columns.take()?;
    one.enabled = columns.flag()?;
    one.volume = columns.maybe_number()?;
    let offers = columns.number()?;
    let has = |place| pack::bit(offers, place);
    one.offers = Offers::NONE;
    (one.offers.poll, one.offers.subscription) = (has(0), has(1));
    (one.offers.push, one.offers.inbox) = (has(2), has(3));
    let mut retention = Retention::default();
    retention.age = columns.maybe_number()?.map(Duration::from_micros);
    retention.blocks = columns.maybe_number()?;
    one.retention = retention;
    one.content_bindings = columns.packed(pack::unpack_bindings)?;
    one.grants = columns.packed(pack::unpack_grants)?;
    Ok(CollectionState::new(one, version, mark, blocks))
}

pub(super) fn subscription(row: &SqliteRow) -> Result<Versioned<Subscription>, Unread> {
    let mut columns = Columns::of(row);
    let (id, collection): (String, String) = (columns.take()?, columns.take()?);
    let owner = columns.owner()?;
    let mut one = Subscription::new(id, collection, owner, columns.time()?);
    let version = columns.number()?;
    one.status = match columns.number()? {
        0 => SubscriptionStatus::Active,
        1 => SubscriptionStatus::Paused,
        2 => SubscriptionStatus::Unsubscribed,
        _ => return Err("its state is unknown".into()),
    };
    one.response_type = columns.response_type()?;
    one.content_bindings = columns.packed(pack::unpack_bindings)?;
    one.query = columns.maybe_packed(pack::unpack_query)?;
    one.push = columns.maybe_packed(pack::unpack_push)?;
    Ok(Versioned::new(one, version))
}

pub(super) fn result(row: &SqliteRow) -> Result<Versioned<ResultSet>, Unread> {
    let mut columns = Columns::of(row);
    let (id, collection): (String, String) = (columns.take()?, columns.take()?);
    let (owner, created, expires) = (columns.owner()?, columns.time()?, columns.time()?);
    let version = columns.number()?;
    let (begin, end) = (columns.maybe_time()?, columns.time()?);
    let mut window = Window::up_to(collection, end);
    window.begin = begin;
    let mut one = ResultSet::new(id, owner, window, created, expires);
    let (state, failure): (i64, Option<String>) = (columns.take()?, columns.take()?);
    one.state = match (state, failure) {
        (0, None) => ResultState::Ready,
        (1, None) => ResultState::Pending,
        (2, Some(reason)) => ResultState::Failed(reason),
        _ => return Err("its state is unknown".into()),
    };
    one.response_type = columns.response_type()?;
    one.subscription = columns.take()?;
    one.window.content = columns.packed(pack::unpack_filter)?;
    one.query = columns.maybe_packed(pack::unpack_query)?;
    one.push = columns.maybe_packed(pack::unpack_push)?;
    one.blocks = columns.maybe_number()?;
    one.parts = columns.number()?;
    Ok(Versioned::new(one, version))
}

pub(super) fn part(row: &SqliteRow) -> Result<ResultPart, Unread> {
    let mut columns = Columns::of(row);
    let number = columns.number()?;
    let (begin, end) = (columns.maybe_time()?, columns.time()?);
    Ok(ResultPart::new(number, begin, end, columns.number()?, columns.flag()?))
}

/// From label, received, binding, subtype, rest and raw.
pub(super) fn block(row: &SqliteRow) -> Result<StoredBlock, Unread> {
    let mut columns = Columns::of(row);
    let (label, received) = (columns.time()?, columns.time()?);
    let (binding, subtype): (Option<String>, Option<String>) = (columns.take()?, columns.take()?);
    let rest: Option<&[u8]> = columns.take()?;
    let raw: Option<String> = columns.take()?;
    let (Some(binding), Some(raw)) = (binding, raw) else {
        return Err("its content or binding is gone".into());
    };
    let mut block = Block::new(binding, Part::new(raw, Vec::new()));
    block.subtype = subtype;
    if let Some(rest) = rest {
        pack::unpack_rest(rest, &mut block).ok_or_else(unpacked)?;
    }
    Ok(StoredBlock::new(label, received, block))
}
