//! Forms that are `name=value&name=value`.

use std::borrow::Cow;

use crate::http::{QueryPairs, Request};
use crate::{Error, url};

impl<'r> Request<'r> {
    /// The fields of an `application/x-www-form-urlencoded` body, of any size.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
    ///     let form = request.form()?;
    ///     match form.value("name")? {
    ///         Some(name) => reply.text(format!("Hello, {name}!")),
    ///         None => reply.status(400).text("who are you?"),
    ///     }
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::MediaType`] when the body is of another type, [`Error::Decode`] when it is not even UTF-8. What is
    /// malformed besides shows where it is decoded.
    #[doc(alias = "mg_http_get_var")]
    pub fn form(&self) -> Result<Form<'r>, Error> {
        super::media_type(self, "application/x-www-form-urlencoded")?;
        let text = self.body_str().map_err(|_| Error::Decode("not UTF-8"))?;
        Ok(Form { text })
    }
}

/// A url-encoded form: see [`Request::form`]. It reads the body again at each call and keeps nothing.
///
/// Where C's [`mg_http_get_var`](mongoose_sys::mg_http_get_var) needs a buffer of the right size, and answers what was in
/// it before where the encoding is malformed (hazard 9), values come back whole, or it is an error.
#[derive(Clone, Copy, Debug)]
pub struct Form<'r> {
    text: &'r str,
}

impl<'r> Form<'r> {
    /// The first field of a name, decoded: `%XX`, and `+` for a blank.
    ///
    /// # Errors
    /// [`Error::Decode`] when its encoding is malformed or it is not UTF-8: see [`bytes`](Self::bytes).
    pub fn value(&self, name: &str) -> Result<Option<Cow<'r, str>>, Error> {
        self.bytes(name)?.map(url::into_text).transpose()
    }

    /// The first field of a name, decoded, as bytes.
    ///
    /// # Errors
    /// [`Error::Decode`] when its encoding is malformed.
    pub fn bytes(&self, name: &str) -> Result<Option<Cow<'r, [u8]>>, Error> {
        for (key, value) in self.pairs() {
            // A malformed name is not the one that is looked for.
            if url::decode_form(key).is_ok_and(|key| &*key == name.as_bytes()) {
                return url::decode_form(value).map(Some);
            }
        }
        Ok(None)
    }

    /// All fields in order, name and value, decoded: look here, not by name, where there are many. An item is
    /// [`Error::Decode`] when its encoding is malformed or it is not UTF-8.
    pub fn fields(&self) -> impl Iterator<Item = Result<(Cow<'r, str>, Cow<'r, str>), Error>> + use<'r> {
        let decode = |text| url::decode_form(text).and_then(url::into_text);
        self.pairs().map(move |(name, value)| Ok((decode(name)?, decode(value)?)))
    }

    /// All fields in order, name and value, not decoded: see [`url::decode_form`].
    pub fn pairs(&self) -> QueryPairs<'r> {
        QueryPairs { rest: self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_by_their_decoded_name() {
        let form = Form { text: "a=1&b+c=%C3%BC+%2B&a=2&d&%zz=3&e=%zz&f=%ff" };
        assert_eq!(form.value("a").expect("valid").as_deref(), Some("1"));
        assert_eq!(form.value("b c").expect("valid").as_deref(), Some("ü +"));
        assert_eq!(form.value("d").expect("valid").as_deref(), Some(""));
        assert_eq!(form.value("g").expect("valid"), None);
        assert!(matches!(form.value("e"), Err(Error::Decode(_))));
        assert!(matches!(form.value("f"), Err(Error::Decode(_))));
        assert_eq!(form.bytes("f").expect("valid").as_deref(), Some(&b"\xff"[..]));
    }

    #[test]
    fn gives_all_fields_and_says_which_are_malformed() {
        let form = Form { text: "a+=%61&&b=%&c" };
        let fields: Vec<_> = form.fields().map(Result::ok).collect();
        assert_eq!(fields, [Some(("a ".into(), "a".into())), None, Some(("c".into(), "".into()))]);
        assert_eq!(form.pairs().next(), Some(("a+", "%61")));
    }
}
