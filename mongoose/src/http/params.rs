//! What a route takes out of a path (feature `router`).

use std::borrow::Cow;
use std::str::FromStr;

use crate::{Error, url};

/// The parts of a path that a route left open, decoded.
#[derive(Clone, Debug, Default)]
pub struct Params<'p> {
    pairs: Vec<(&'p str, Cow<'p, str>)>,
}

impl<'p> Params<'p> {
    pub(super) fn decode(params: &matchit::Params<'p, 'p>) -> Result<Self, Error> {
        let decode = |(name, value)| Ok((name, url::decode(value).and_then(url::into_text)?));
        Ok(Self { pairs: params.iter().map(decode).collect::<Result<_, Error>>()? })
    }

    /// The one of a name: `id` for `/users/{id}`, `path` for `/files/{*path}`. It may hold any character, `/` included.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(found, _)| *found == name).map(|(_, value)| &**value)
    }

    /// The one of a name, as a type.
    ///
    /// # Errors
    /// [`Error::PathParameter`] when it is not one of these, or there is none of the name.
    pub fn parse<T: FromStr>(&self, name: &str) -> Result<T, Error> {
        let parsed = self.get(name).and_then(|value| value.parse().ok());
        parsed.ok_or_else(|| Error::PathParameter { name: name.to_owned() })
    }
}
