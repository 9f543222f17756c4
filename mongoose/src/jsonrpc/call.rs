//! What a method is told.

use std::fmt;

use serde::Deserialize;

use super::ErrorObject;
use crate::{glob, json};

/// A call of a method: what it is called with, and by whom.
#[doc(alias = "mg_rpc_req")]
pub struct Call<'c, C = ()> {
    pub(super) method: &'c str,
    pub(super) pattern: &'c str,
    pub(super) params: Option<json::Value<'c>>,
    pub(super) id: Option<json::Value<'c>>,
    pub(super) context: &'c C,
}

impl<'c, C> Call<'c, C> {
    /// The method's name.
    pub fn method(&self) -> &'c str {
        self.method
    }

    /// What each `?`, `*` and `#` of the method's [pattern](glob) stands for in its name.
    pub fn captures(&self) -> Vec<&'c str> {
        glob::captures(self.method, self.pattern).unwrap_or_default()
    }

    /// The parameters as a type: a tuple or a struct for those by position, a struct or a map for those by name. Where
    /// there are none, it is made of `null`, which is `()` and a `None`.
    ///
    /// # Errors
    /// [`INVALID_PARAMS`](ErrorObject::INVALID_PARAMS) when they are not of this type, with the reason as its data.
    pub fn params<T: Deserialize<'c>>(&self) -> Result<T, ErrorObject> {
        let text = self.params.map_or("null", |params| params.text());
        serde_json::from_str(text).map_err(|error| {
            ErrorObject::new(ErrorObject::INVALID_PARAMS, "Invalid params").with_data(error.to_string())
        })
    }

    /// The parameters as JSON: an array or an object. `None` where there are none.
    pub fn raw_params(&self) -> Option<json::Value<'c>> {
        self.params
    }

    /// The call's `id`: a string, a number or `null`. `None` for a notification.
    pub fn id(&self) -> Option<json::Value<'c>> {
        self.id
    }

    /// Whether nobody waits for the result.
    pub fn is_notification(&self) -> bool {
        self.id.is_none()
    }

    /// What [`process`](super::Server::process) was given: who calls, say.
    pub fn context(&self) -> &'c C {
        self.context
    }
}

impl<C> fmt::Debug for Call<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("params", &self.params)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
