//! One declaration for an open set of numbered codes.

/// Declares named constants of a newtype over `i32` together with `name()`, `Debug` and `Display`.
///
/// The set stays open: a server may send a number this library has no name for.
macro_rules! codes {
    ($type:ident { $($(#[$doc:meta])* $name:ident = $value:literal,)* }) => {
        impl $type {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The protocol's name of this code, `None` for a number without a known name.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// Every code that has a name, in ascending order of declaration.
            pub const NAMED: &'static [Self] = &[$(Self::$name),*];
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({})", self.name().unwrap_or("CODE"), self.0)
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        impl From<i32> for $type {
            fn from(code: i32) -> Self {
                Self(code)
            }
        }
    };
}

pub(crate) use codes;
