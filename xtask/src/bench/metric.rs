//! The figures of a case.

/// A figure: what it is called, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Cpu,
    User,
    Rate,
    Busy,
    Accepted,
    AcceptCpu,
    Memory,
    Peak,
    CloseCpu,
    Delivered,
    Arrived,
    Size,
    Crates,
    Build,
    ShortHead,
    BrowserHead,
    File,
    LargeFile,
    Chunked,
    Routed,
}

impl Metric {
    /// Its column, in a case whose figures are of one such `unit`.
    pub fn title(self, unit: &str) -> String {
        let title = match self {
            Self::Cpu => return format!("CPU us/{unit}"),
            Self::User => return format!("user us/{unit}"),
            Self::Rate => return format!("{unit}s/s"),
            Self::Busy => "core busy %",
            Self::Accepted => "accepted/s",
            Self::AcceptCpu => "CPU us/connection",
            Self::Memory => "memory B/connection",
            Self::Peak => "memory KB above idle",
            Self::CloseCpu => "CPU us/close",
            Self::Delivered => "delivered/s",
            Self::Arrived => "arrived %",
            Self::Size => "stripped KB",
            Self::Crates => "crates",
            Self::Build => "clean build s",
            Self::ShortHead => "short head",
            Self::BrowserHead => "browser's head",
            Self::File => "file of 1 KB",
            Self::LargeFile => "file of 10 MB",
            Self::Chunked => "16 chunks",
            Self::Routed => "an axum route",
        };
        title.to_owned()
    }

    /// Whether a ratio says something.
    pub fn is_compared(self) -> bool {
        !matches!(self, Self::Busy | Self::Arrived)
    }

    /// Whether one round says it all.
    pub fn is_exact(self) -> bool {
        use Metric::{BrowserHead, Chunked, Crates, File, LargeFile, Routed, ShortHead, Size};
        matches!(self, Size | Crates | ShortHead | BrowserHead | File | LargeFile | Chunked | Routed)
    }
}

/// A figure with as many digits as it is worth, thousands apart.
pub fn format(value: f64) -> String {
    let magnitude = value.abs();
    let decimals = match magnitude {
        _ if value == value.trunc() => 0,
        _ if magnitude >= 100.0 => 0,
        _ if magnitude >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let whole = text.split('.').next().unwrap_or_default().len();
    let mut apart = String::new();
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index < whole && (whole - index) % 3 == 0 && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(character);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn figures_have_three_digits_or_whole_thousands() {
        assert_eq!(format(1.2345), "1.23");
        assert_eq!(format(12.345), "12.3");
        assert_eq!(format(123.45), "123");
        assert_eq!(format(1234.5), "1,234");
        assert_eq!(format(1_234_567.0), "1,234,567");
        assert_eq!(format(-123.0), "-123");
        assert_eq!(format(11.0), "11");
    }
}
