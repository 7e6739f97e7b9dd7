//! Typed headers: a struct, its wire names, and the way in and out, declared once.

use alloc::borrow::Cow;

use crate::wire::{FieldSink, Part, Plain};

/// A response or request header does not hold what its type needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A required ext field is absent or empty.
    #[error("the header field `{name}` is missing")]
    Missing {
        /// Wire name of the field.
        name: &'static str,
    },
    /// A number is not a decimal integer of the field's size.
    #[error("the header field `{name}` is not a number of its size")]
    BadNumber {
        /// Wire name of the field.
        name: &'static str,
    },
}

/// A value that can stand in an ext field.
pub trait WriteField {
    /// Hands the value to `sink`; an absent value writes nothing.
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S);
}

/// A value that can be read from the text of an ext field.
pub trait ReadField<'a>: Sized {
    /// Reads the text, which is not empty.
    fn read_field(name: &'static str, text: Cow<'a, str>) -> Result<Self, FieldError>;

    /// The value of a field that is absent or empty: an error unless the field is optional.
    fn absent(name: &'static str) -> Result<Self, FieldError> {
        Err(FieldError::Missing { name })
    }
}

impl WriteField for &str {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.str(name, self);
    }
}

impl WriteField for Plain<'_> {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.plain(name, *self);
    }
}

impl WriteField for &[Part<'_>] {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.parts(name, self);
    }
}

impl WriteField for Cow<'_, str> {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.str(name, self);
    }
}

impl WriteField for i32 {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.int(name, i64::from(*self));
    }
}

impl WriteField for i64 {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.int(name, *self);
    }
}

impl WriteField for bool {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        sink.bool(name, *self);
    }
}

impl<T: WriteField> WriteField for Option<T> {
    #[inline(always)]
    fn write_field<S: FieldSink>(&self, name: &'static str, sink: &mut S) {
        if let Some(value) = self {
            value.write_field(name, sink);
        }
    }
}

impl<'a> ReadField<'a> for Cow<'a, str> {
    #[inline]
    fn read_field(_: &'static str, text: Cow<'a, str>) -> Result<Self, FieldError> {
        Ok(text)
    }
}

impl<'a> ReadField<'a> for i32 {
    #[inline]
    fn read_field(name: &'static str, text: Cow<'a, str>) -> Result<Self, FieldError> {
        text.parse().map_err(|_| FieldError::BadNumber { name })
    }
}

impl<'a> ReadField<'a> for i64 {
    #[inline]
    fn read_field(name: &'static str, text: Cow<'a, str>) -> Result<Self, FieldError> {
        text.parse().map_err(|_| FieldError::BadNumber { name })
    }
}

/// As in Java, `true` in any letter case is true and everything else is false.
impl<'a> ReadField<'a> for bool {
    #[inline]
    fn read_field(_: &'static str, text: Cow<'a, str>) -> Result<Self, FieldError> {
        Ok(text.eq_ignore_ascii_case("true"))
    }
}

impl<'a, T: ReadField<'a>> ReadField<'a> for Option<T> {
    #[inline]
    fn read_field(name: &'static str, text: Cow<'a, str>) -> Result<Self, FieldError> {
        T::read_field(name, text).map(Some)
    }

    #[inline]
    fn absent(_: &'static str) -> Result<Self, FieldError> {
        Ok(None)
    }
}

/// Declares a header struct: each field with its wire name, `field: Type = "wireName"`.
///
/// Fields are written in the order of declaration. `write struct` leaves the reader out, for
/// structs whose fields are borrowed in a form that cannot be read back.
macro_rules! header {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$lt:lifetime> { $($body:tt)* }) => {
        $crate::request::header!(@write [$(#[$meta])*] [$vis] $name [<$lt>] { $($body)* });
        $crate::request::header!(@read [$vis] $name [<$lt>] $lt { $($body)* });
    };
    ($(#[$meta:meta])* $vis:vis write struct $name:ident<$lt:lifetime> { $($body:tt)* }) => {
        $crate::request::header!(@write [$(#[$meta])*] [$vis] $name [<$lt>] { $($body)* });
    };
    (@write [$($meta:tt)*] [$vis:vis] $name:ident [$($generics:tt)*] {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty = $wire:literal,)*
    }) => {
        $($meta)*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name $($generics)* {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $($generics)* $name $($generics)* {
            /// Names of the ext fields, in the order they are written.
            $vis const WIRE_NAMES: &'static [&'static str] = &[$($wire),*];
        }

        impl $($generics)* $crate::wire::WriteFields for $name $($generics)* {
            #[inline(always)]
            fn write<S: $crate::wire::FieldSink>(&self, sink: &mut S) {
                $($crate::request::WriteField::write_field(&self.$field, $wire, sink);)*
            }
        }
    };
    (@read [$vis:vis] $name:ident [$($generics:tt)*] $lt:lifetime {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty = $wire:literal,)*
    }) => {
        impl $($generics)* $name $($generics)* {
            /// Reads the header from ext fields in one pass.
            ///
            /// An empty value counts as absent, fields of other names are passed over, and of a
            /// repeated field the last one counts.
            ///
            /// # Errors
            /// A required field that is missing, or a number that cannot be read.
            $vis fn read(
                ext: &$crate::wire::ExtFields<$lt>,
            ) -> Result<Self, $crate::request::FieldError> {
                $(let mut $field = None;)*
                for (name, text) in ext.iter() {
                    match &*name {
                        $($wire => $field = Some(text),)*
                        _ => {}
                    }
                }
                Ok(Self {
                    $($field: match $field {
                        Some(text) if !text.is_empty() => {
                            $crate::request::ReadField::read_field($wire, text)?
                        }
                        _ => $crate::request::ReadField::absent($wire)?,
                    },)*
                })
            }
        }
    };
}

pub(crate) use header;

#[cfg(test)]
mod tests;
