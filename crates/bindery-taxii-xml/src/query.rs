//! Default Query 1.0: what stands inside a query of its format.

use bindery_xml::{Event, Inside};

use crate::dialect::Dialect;
use crate::error::{Error, WriteError, WriteFault};
use crate::message::Query;
use crate::node::{Node, Record, Value as _, one, record};
use crate::reader::{Options, UNTYPED};
use crate::registry::{Field, Operator, QUERY_DEFAULT_QUERY, QUERY_DEFAULT_QUERY_INFO, Type};
use crate::walker::{Done, Next, Schema, Walker};
use crate::writer::part;

record! {
    /// A query: which records are wanted (Default Query 1.0, section 6).
    DefaultQuery {
        /// The vocabulary of the targets, such as `urn:stix.mitre.org:xml:1.1.1`.
        targeting_expression_id: String = one(TargetingExpressionId),
        /// What must hold.
        criteria: Criteria = one(Criteria),
    }
}

/// Parts joined by an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// How they are joined.
    pub operator: Operator,
    /// The parts, at least one. The text wants criteria before criterions, the schema lets them mix; their order is
    /// kept.
    pub parts: Vec<Part>,
}

/// A part of criteria.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Criteria.
    Criteria(Criteria),
    /// A single test.
    Criterion(Criterion),
}

record! {
    /// A test of what is at a target.
    Criterion {
        /// Whether it holds when the test does not; none: no.
        negate: Option<bool> = opt(Negate),
        /// The targeting expression.
        target: String = one(Target),
        /// The test.
        test: Test = one(Test),
    }
}

record! {
    /// A relationship of a capability module, with its parameters.
    Test {
        /// The capability module's id.
        capability_id: String = one(CapabilityId),
        /// The relationship's name.
        relationship: String = one(Relationship),
        /// The parameters.
        parameters: Vec<Parameter> = many(Parameter),
    }
}

record! {
    /// A parameter.
    Parameter {
        /// Its name.
        name: String = one(Name),
        /// Its value.
        value: String = one(Value),
    }
}

record! {
    /// What a service says of the queries that it takes (Default Query 1.0, section 5).
    DefaultQueryInfo {
        /// The vocabulary and scopes.
        targeting: TargetingExpressionInfo = one(TargetingExpressionInfo),
        /// The capability modules' ids, at least one.
        capability_modules: Vec<String> = many(CapabilityModule),
    }
}

record! {
    /// A vocabulary and its scopes.
    TargetingExpressionInfo {
        /// The vocabulary. The text requires it, the schema does not.
        targeting_expression_id: Option<String> = opt(TargetingExpressionId),
        /// Targets that are answered well.
        preferred_scopes: Vec<String> = many(PreferredScope),
        /// Targets that are answered. At least one scope of either kind.
        allowed_scopes: Vec<String> = many(AllowedScope),
    }
}

impl Record for Criteria {
    fn read_node(node: &mut Node<'_>, d: Dialect) -> Option<Self> {
        let operator = one::take(node, Field::Operator, d)?;
        let parts = node.drain(&[Field::Criteria, Field::Criterion]).into_iter();
        let parts = parts.map(|(field, item)| match field {
            Field::Criteria => Self::read(item, d).map(Part::Criteria),
            _ => Criterion::read(item, d).map(Part::Criterion),
        });
        Some(Self { operator, parts: parts.collect::<Option<_>>()? })
    }

    fn write_node(&self, d: Dialect) -> Result<Node<'_>, WriteFault> {
        let mut node = Node::default();
        one::put(&self.operator, &mut node, Field::Operator, d)?;
        for part in &self.parts {
            let (field, item) = match part {
                Part::Criteria(criteria) => (Field::Criteria, criteria.write(d)?),
                Part::Criterion(criterion) => (Field::Criterion, criterion.write(d)?),
            };
            node.push(field, item);
        }
        Ok(node)
    }
}

/// The id of the format of Default Query 1.0.
const FORMAT: &str = "urn:taxii.mitre.org:query:default:1.0";

impl DefaultQuery {
    /// Reads it from what stands inside a query. Criteria are at most 60 deep.
    ///
    /// # Errors
    /// What its schema does not allow; positions count from the start of what is inside.
    pub fn read(inside: &Inside<'_>) -> Result<Self, Error> {
        of_inside(Schema::Query, inside)
    }

    /// The query that holds it.
    ///
    /// # Errors
    /// Criteria without parts; characters that XML cannot carry.
    pub fn to_query(&self) -> Result<Query, WriteError> {
        to_query(self, "Default_Query", &QUERY_DEFAULT_QUERY)
    }
}

impl DefaultQueryInfo {
    /// Reads it from what stands inside a supported query.
    ///
    /// # Errors
    /// What its schema does not allow; positions count from the start of what is inside.
    pub fn read(inside: &Inside<'_>) -> Result<Self, Error> {
        of_inside(Schema::QueryInfo, inside)
    }

    /// The supported query that holds it.
    ///
    /// # Errors
    /// No capability module, no scope; characters that XML cannot carry.
    pub fn to_query(&self) -> Result<Query, WriteError> {
        to_query(self, "Default_Query_Info", &QUERY_DEFAULT_QUERY_INFO)
    }
}

fn to_query<T: Record>(value: &T, name: &str, ty: &'static Type) -> Result<Query, WriteError> {
    let node = value
        .write_node(Dialect::V1_1)
        .map_err(|fault| WriteError { path: name.to_owned(), fault })?;
    Ok(Query { format_id: FORMAT.to_owned(), inside: part(name, ty, &node)? })
}

fn of_inside<T: Record>(schema: Schema, inside: &Inside<'_>) -> Result<T, Error> {
    let mut reader = inside.reader(&Options::STRICT.xml);
    let mut walker = Walker::new(schema, &Options::STRICT);
    loop {
        let step = match reader.next_event() {
            Ok(Some(Event::Start(start))) => walker.start(&start).map(|_: Next| Done::Nothing),
            Ok(Some(Event::Text(text) | Event::Cdata(text))) => {
                walker.text(text).map(|()| Done::Nothing)
            }
            Ok(Some(Event::End(_))) => walker.end(),
            Ok(Some(_)) => Ok(Done::Nothing),
            Ok(None) => return Err(Error::new(String::new(), reader.unexpected("a query"))),
            Err(error) => return Err(Error::new(walker.path(), error)),
        };
        let done = step.and_then(|done| match done {
            Done::Root(mut node) => T::read_node(&mut node, Dialect::V1_1).map(Some).ok_or(UNTYPED),
            Done::Nothing | Done::Block(_) => Ok(None),
        });
        match done {
            Ok(None) => {}
            // Behind the root element there is white space only.
            Ok(Some(value)) => {
                return match reader.next_event() {
                    Ok(None) => Ok(value),
                    Ok(Some(_)) => Err(Error::new(String::new(), reader.unexpected("the end"))),
                    Err(error) => Err(Error::new(String::new(), error)),
                };
            }
            Err(fault) => return Err(Error::of(walker.path(), fault, reader.position())),
        }
    }
}
