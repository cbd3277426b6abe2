//! Structures as declarations: one line for each child element, from which reading, checking and writing follow.

use crate::decode::Decoder;
use crate::sink::{Children, Sink};
use crate::{Attribute, Element, Error, Others, Tag};

/// A child element of a structure.
pub(crate) struct Field {
    pub(crate) tag: Tag,
    pub(crate) required: bool,
    pub(crate) many: bool,
}

/// An element whose children are fields, in the order of the DTD.
pub(crate) trait Structure: Default {
    const TAG: Tag;
    const FIELDS: &'static [Field];
    /// Whether the fields stand in the order of the DTD.
    const ORDERED: bool = true;

    fn others(&self) -> &Others;
    fn others_mut(&mut self) -> &mut Others;
    /// Reads the child whose start was read. Gives it back where it is not what the field takes.
    fn read_field(
        &mut self,
        tag: Tag,
        attributes: Vec<Attribute>,
        decoder: &mut Decoder<'_, '_>,
    ) -> Result<Option<Element>, Error>;
    fn write_fields<S: Sink>(&self, to: &mut Children<'_, S>);

    /// The whole element.
    fn write<S: Sink>(&self, sink: &mut S) {
        self.write_open(sink);
        sink.end();
    }

    /// The element but for its end.
    fn write_open<S: Sink>(&self, sink: &mut S) {
        sink.start(Self::TAG, self.others().attributes());
        let mut children = Children::new(sink, self.others().elements());
        self.write_fields(&mut children);
        children.finish();
    }
}

/// How often a child may stand (`one`, `opt`, `boxed`, `many`) and what it is (`text`, `flag`, `number`, `data`,
/// `content`, or a structure in brackets) give the type of its field.
macro_rules! field_type {
    (one text) => { $crate::Text };
    (opt text) => { Option<$crate::Text> };
    (many text) => { Vec<$crate::Text> };
    (opt flag) => { bool };
    (opt number) => { Option<u64> };
    (one data) => { $crate::Data };
    (opt data) => { Option<$crate::Data> };
    (opt content) => { Option<$crate::Content> };
    (one [$of:ty]) => { $of };
    (opt [$of:ty]) => { Option<$of> };
    (boxed [$of:ty]) => { Option<Box<$of>> };
    (many [$of:ty]) => { Vec<$of> };
}

macro_rules! field_rule {
    (one $tag:ident) => {
        $crate::macros::Field { tag: $crate::Tag::$tag, required: true, many: false }
    };
    (many $tag:ident) => {
        $crate::macros::Field { tag: $crate::Tag::$tag, required: false, many: true }
    };
    ($other:ident $tag:ident) => {
        $crate::macros::Field { tag: $crate::Tag::$tag, required: false, many: false }
    };
}

macro_rules! field_read {
    ($to:expr, $d:ident, $a:ident, $tag:ident, one text) => {
        $to = $d.text(&$a)?
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, opt text) => {
        $to = Some($d.text(&$a)?)
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, many text) => {
        $to.push($d.text(&$a)?)
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, opt flag) => {{
        $d.empty(&$a)?;
        $to = true
    }};
    ($to:expr, $d:ident, $a:ident, $tag:ident, opt number) => {
        match $d.number($crate::Tag::$tag, &$a)? {
            Ok(number) => $to = Some(number),
            Err(element) => return Ok(Some(element)),
        }
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, one data) => {
        $to = $d.data($a)?
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, opt data) => {
        $to = Some($d.data($a)?)
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, opt content) => {{
        $d.attributes(&$a)?;
        $to = Some($d.content()?)
    }};
    ($to:expr, $d:ident, $a:ident, $tag:ident, one [$of:ty]) => {
        $to = $d.structure($a)?
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, opt [$of:ty]) => {
        $to = Some($d.structure($a)?)
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, boxed [$of:ty]) => {
        $to = Some(Box::new($d.structure($a)?))
    };
    ($to:expr, $d:ident, $a:ident, $tag:ident, many [$of:ty]) => {
        $to.push($d.structure($a)?)
    };
}

macro_rules! field_write {
    ($from:expr, $to:ident, $tag:ident, one text) => {
        $to.text($crate::Tag::$tag, &$from)
    };
    ($from:expr, $to:ident, $tag:ident, opt flag) => {
        if $from {
            $to.text($crate::Tag::$tag, "")
        }
    };
    ($from:expr, $to:ident, $tag:ident, opt number) => {
        if let Some(number) = $from {
            $to.number($crate::Tag::$tag, number)
        }
    };
    ($from:expr, $to:ident, $tag:ident, opt text) => {
        if let Some(text) = &$from {
            $to.text($crate::Tag::$tag, text)
        }
    };
    ($from:expr, $to:ident, $tag:ident, many text) => {
        for text in &$from {
            $to.text($crate::Tag::$tag, text)
        }
    };
    ($from:expr, $to:ident, $tag:ident, one data) => {
        $to.data($crate::Tag::$tag, &$from)
    };
    ($from:expr, $to:ident, $tag:ident, opt data) => {
        if let Some(data) = &$from {
            $to.data($crate::Tag::$tag, data)
        }
    };
    ($from:expr, $to:ident, $tag:ident, opt content) => {
        if let Some(content) = &$from {
            $to.content($crate::Tag::$tag, content, &[])
        }
    };
    ($from:expr, $to:ident, $tag:ident, one [$of:ty]) => {
        $to.structure(&$from)
    };
    ($from:expr, $to:ident, $tag:ident, boxed [$of:ty]) => {
        if let Some(value) = &$from {
            $to.structure(&**value)
        }
    };
    ($from:expr, $to:ident, $tag:ident, opt [$of:ty]) => {
        if let Some(value) = &$from {
            $to.structure(value)
        }
    };
    ($from:expr, $to:ident, $tag:ident, many [$of:ty]) => {
        for value in &$from {
            $to.structure(value)
        }
    };
}

/// Declares a structure: name and tag, then a line for each child: cardinality, field, kind, tag. Extra fields that are
/// no such children stand in a second pair of braces.
macro_rules! structure {
    (
        $(#[$meta:meta])*
        $name:ident = $own:ident {
            $($(#[$doc:meta])* $card:ident $field:ident: $kind:tt = $tag:ident,)*
        }
        $({ $($(#[$more_doc:meta])* $more:ident: $type:ty,)* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $field: field_type!($card $kind),)*
            $($($(#[$more_doc])* pub $more: $type,)*)?
            /// Elements and attributes that are not named above.
            pub others: $crate::Others,
        }

        impl $crate::macros::Structure for $name {
            const TAG: $crate::Tag = $crate::Tag::$own;
            const FIELDS: &'static [$crate::macros::Field] = &[$(field_rule!($card $tag)),*];

            fn others(&self) -> &$crate::Others {
                &self.others
            }

            fn others_mut(&mut self) -> &mut $crate::Others {
                &mut self.others
            }

            fn read_field(
                &mut self,
                tag: $crate::Tag,
                attributes: Vec<$crate::Attribute>,
                decoder: &mut $crate::decode::Decoder<'_, '_>,
            ) -> Result<Option<$crate::Element>, $crate::Error> {
                match tag {
                    $($crate::Tag::$tag => {
                        field_read!(self.$field, decoder, attributes, $tag, $card $kind);
                    })*
                    _ => {}
                }
                Ok(None)
            }

            fn write_fields<S: $crate::sink::Sink>(&self, to: &mut $crate::sink::Children<'_, S>) {
                $(field_write!(self.$field, to, $tag, $card $kind);)*
            }
        }
    };
}

pub(crate) use {field_read, field_rule, field_type, field_write, structure};
