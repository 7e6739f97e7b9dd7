//! Languages of the header field `language`.

/// The sender's language. JSON headers carry the upper case name, binary headers the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LanguageCode {
    /// JAVA, 0.
    Java,
    /// CPP, 1.
    Cpp,
    /// DOTNET, 2.
    Dotnet,
    /// PYTHON, 3.
    Python,
    /// DELPHI, 4.
    Delphi,
    /// ERLANG, 5.
    Erlang,
    /// RUBY, 6.
    Ruby,
    /// OTHER, 7.
    Other,
    /// HTTP, 8.
    Http,
    /// GO, 9.
    Go,
    /// PHP, 10.
    Php,
    /// OMS, 11.
    Oms,
    /// RUST, 12. Servers before 4.9.4 do not know it and see no language.
    Rust,
    /// NODE_JS, 13.
    NodeJs,
    /// Something else, or nothing. Written as OTHER.
    Unknown,
}

impl LanguageCode {
    /// All languages the protocol names, in the order of their numbers.
    pub const NAMED: [Self; 14] = [
        Self::Java,
        Self::Cpp,
        Self::Dotnet,
        Self::Python,
        Self::Delphi,
        Self::Erlang,
        Self::Ruby,
        Self::Other,
        Self::Http,
        Self::Go,
        Self::Php,
        Self::Oms,
        Self::Rust,
        Self::NodeJs,
    ];

    /// The number in a binary header.
    #[must_use]
    #[inline]
    pub const fn code(self) -> u8 {
        match self {
            Self::Java => 0,
            Self::Cpp => 1,
            Self::Dotnet => 2,
            Self::Python => 3,
            Self::Delphi => 4,
            Self::Erlang => 5,
            Self::Ruby => 6,
            Self::Other | Self::Unknown => 7,
            Self::Http => 8,
            Self::Go => 9,
            Self::Php => 10,
            Self::Oms => 11,
            Self::Rust => 12,
            Self::NodeJs => 13,
        }
    }

    /// The name in a JSON header.
    #[must_use]
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Java => "JAVA",
            Self::Cpp => "CPP",
            Self::Dotnet => "DOTNET",
            Self::Python => "PYTHON",
            Self::Delphi => "DELPHI",
            Self::Erlang => "ERLANG",
            Self::Ruby => "RUBY",
            Self::Other | Self::Unknown => "OTHER",
            Self::Http => "HTTP",
            Self::Go => "GO",
            Self::Php => "PHP",
            Self::Oms => "OMS",
            Self::Rust => "RUST",
            Self::NodeJs => "NODE_JS",
        }
    }

    /// The language with this number, [`Unknown`](Self::Unknown) for a number without a name.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::NAMED.get(usize::from(code)).copied().unwrap_or(Self::Unknown)
    }

    /// The language with this exact name, [`Unknown`](Self::Unknown) for any other text.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        // Java servers answer nearly everything.
        if name == "JAVA" {
            return Self::Java;
        }
        Self::NAMED.into_iter().find(|known| known.name() == name).unwrap_or(Self::Unknown)
    }
}
