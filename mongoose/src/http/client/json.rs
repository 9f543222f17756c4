//! JSON to and from types, by `serde_json` (feature `serde`).

use serde::{Deserialize, Serialize};

use super::outbound::Body;
use super::{RequestBuilder, Response, ResponseBuf};
use crate::Error;

impl<V> RequestBuilder<V> {
    /// Sends a value as JSON, as `application/json` unless a header says otherwise. A value that cannot be JSON, such as a
    /// map whose keys are no text, is [`Error::Handler`] at the end.
    ///
    /// ```no_run
    /// use mongoose::http;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Order {
    ///     article: String,
    ///     count: u64,
    /// }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Receipt {
    ///     number: u64,
    /// }
    ///
    /// let order = Order { article: "tea".to_owned(), count: 2 };
    /// let response = http::request("POST", "http://127.0.0.1:8000/orders").json(&order).send()?;
    /// if response.is_success() {
    ///     println!("order {}", response.json::<Receipt>()?.number);
    /// }
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => {
                self.body = Body::Whole(json.into());
                self.content_type = Some("application/json");
                self
            }
            Err(error) => self.failed(Error::handler(error)),
        }
    }
}

impl<'r> Response<'r> {
    /// The body, read as JSON of a type, which may borrow from it. Whether the `Content-Type` says that it is JSON is not
    /// looked at: many servers say something else, and who asks for JSON sees whether it is.
    ///
    /// # Errors
    /// [`Error::Json`] when it is not JSON, or not of this type.
    #[doc(alias = "mg_json_get")]
    pub fn json<T: Deserialize<'r>>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.body()).map_err(Error::Json)
    }
}

impl ResponseBuf {
    /// The body, read as JSON of a type: see [`Response::json`].
    ///
    /// # Errors
    /// As there.
    pub fn json<'b, T: Deserialize<'b>>(&'b self) -> Result<T, Error> {
        serde_json::from_slice(self.body()).map_err(Error::Json)
    }
}
