//! Calls of ours, and their answers.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{ErrorObject, is_version_2};
use crate::Error;
use crate::json::{self, Kind, Value};

/// Makes calls, and keeps in mind which of them wait for an answer.
///
/// What it makes are texts, which travel however they like; answers may come in any order.
///
/// ```
/// use mongoose::jsonrpc::Client;
///
/// let mut client = Client::new();
/// let (id, text) = client.call("math.add", &(1, 2))?;
/// assert_eq!(text, r#"{"jsonrpc":"2.0","method":"math.add","params":[1,2],"id":1}"#);
///
/// let answer = r#"{"jsonrpc": "2.0", "result": 3, "id": 1}"#;
/// for response in client.receive(answer)? {
///     assert_eq!(response.id(), Some(id));
///     assert_eq!(response.result::<i32>()?, 3);
/// }
/// assert_eq!(client.waiting(), 0);
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Client {
    last: u64,
    waiting: HashSet<u64>,
}

impl Client {
    /// Without calls.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a call: its `id`, and the text of it. `&()` for no parameters.
    ///
    /// # Errors
    /// [`Error::JsonRpc`] for parameters that are no array and no object, or cannot be JSON.
    pub fn call<P: Serialize + ?Sized>(&mut self, method: &str, params: &P) -> Result<(u64, String), Error> {
        let id = self.last + 1;
        let text = request(method, params, Some(id))?;
        self.last = id;
        self.waiting.insert(id);
        Ok((id, text))
    }

    /// Makes a call that is not to be answered.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn notification<P: Serialize + ?Sized>(method: &str, params: &P) -> Result<String, Error> {
        request(method, params, None)
    }

    /// Makes a batch of calls and notifications.
    ///
    /// ```
    /// use mongoose::jsonrpc::Client;
    ///
    /// let mut client = Client::new();
    /// let (_, get) = client.call("get", &())?;
    /// let batch = Client::batch([get, Client::notification("touch", &())?]);
    /// assert!(batch.starts_with('[') && batch.ends_with(']'));
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn batch(texts: impl IntoIterator<Item = String>) -> String {
        let texts: Vec<String> = texts.into_iter().collect();
        format!("[{}]", texts.join(","))
    }

    /// Takes an answer, or a batch of them.
    ///
    /// # Errors
    /// [`Error::JsonText`] and [`Error::JsonRpc`] for what is none, or answers nothing that was asked: then nothing of it
    /// counts, and all calls still wait.
    pub fn receive<'r>(&mut self, text: &'r (impl AsRef<[u8]> + ?Sized)) -> Result<Vec<Response<'r>>, Error> {
        let value = json::parse(text)?;
        let responses: Vec<Response<'r>> = match value.kind() {
            Kind::Array => value.elements().map(Response::read).collect::<Result<_, _>>()?,
            _ => vec![Response::read(value)?],
        };
        let mut answered = HashSet::new();
        for id in responses.iter().filter_map(|response| response.id) {
            if !self.waiting.contains(&id) || !answered.insert(id) {
                return Err(bad("an answer to what was not asked"));
            }
        }
        self.waiting.retain(|id| !answered.contains(id));
        Ok(responses)
    }

    /// How many calls wait for an answer.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// No longer waits for an answer, which is an error when it comes after all. Answers whether it was waited for.
    pub fn forget(&mut self, id: u64) -> bool {
        self.waiting.remove(&id)
    }
}

/// What a call was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Response<'r> {
    id: Option<u64>,
    outcome: Result<Value<'r>, ErrorObject>,
}

impl<'r> Response<'r> {
    /// Of which call; `None` for an error of a peer that could not tell.
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// The result as JSON, or the error.
    pub fn outcome(&self) -> Result<Value<'r>, &ErrorObject> {
        self.outcome.as_ref().copied()
    }

    /// The result as a type.
    ///
    /// # Errors
    /// [`Error::Call`] for a call that failed, [`Error::Json`] for a result of another type.
    pub fn result<T: Deserialize<'r>>(&self) -> Result<T, Error> {
        match &self.outcome {
            Ok(value) => value.deserialize(),
            Err(error) => Err(Error::Call(error.clone())),
        }
    }

    /// Checks all of it (section 5).
    fn read(value: Value<'r>) -> Result<Self, Error> {
        if !is_version_2(value) {
            return Err(bad("an answer without \"jsonrpc\": \"2.0\""));
        }
        let outcome = match (value.member("result")?, value.member("error")?) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(ErrorObject::read(error).ok_or(bad("an error that is none"))?),
            _ => return Err(bad("an answer with neither result nor error, or with both")),
        };
        let id = match value.member("id")? {
            Some(id) if id.is_null() && outcome.is_err() => None,
            Some(id) => Some(id.as_u64().ok_or(bad("an answer to what was not asked"))?),
            None => return Err(bad("an answer without id")),
        };
        Ok(Self { id, outcome })
    }
}

fn bad(reason: &'static str) -> Error {
    Error::JsonRpc { reason }
}

fn request<P: Serialize + ?Sized>(method: &str, params: &P, id: Option<u64>) -> Result<String, Error> {
    let params = serde_json::to_string(params).map_err(|_| bad("parameters that cannot be JSON"))?;
    let mut text = format!(r#"{{"jsonrpc":"2.0","method":{}"#, json::quote(method));
    if params.starts_with(['[', '{']) {
        text.push_str(r#","params":"#);
        text.push_str(&params);
    } else if params != "null" {
        return Err(bad("parameters that are no array and no object"));
    }
    if let Some(id) = id {
        text.push_str(&format!(r#","id":{id}"#));
    }
    text.push('}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_any_order_and_once() {
        let mut client = Client::new();
        let ids: Vec<u64> = (0..3).map(|_| client.call("m", &()).expect("valid").0).collect();
        let answer = |id: u64| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":[{id}]}}"#);
        for id in [ids[2], ids[0]] {
            let text = answer(id);
            let responses = client.receive(&text).expect("asked");
            assert_eq!(responses[0].id(), Some(id));
            assert_eq!(responses[0].result::<[u64; 1]>().expect("a result"), [id]);
            assert!(client.receive(&text).is_err(), "a second time");
        }
        assert_eq!(client.waiting(), 1);
        assert!(client.receive(&format!("[{0},{0}]", answer(ids[1]))).is_err(), "twice at once");
        assert_eq!(client.waiting(), 1);
        assert!(client.forget(ids[1]) && !client.forget(ids[1]));
        assert!(client.receive(&answer(ids[1])).is_err());
    }

    #[test]
    fn what_is_no_answer_changes_nothing() {
        let mut client = Client::new();
        client.call("m", &()).expect("valid");
        for text in [
            "",
            "1",
            "{}",
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"id":1,"result":1}"#,
            r#"{"jsonrpc":"2.0","result":1}"#,
            r#"{"jsonrpc":"2.0","id":"1","result":1}"#,
            r#"{"jsonrpc":"2.0","id":2,"result":1}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"result":1}"#,
            r#"{"jsonrpc":"2.0","id":null,"result":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":1,"result":2}"#,
            r#"[{"jsonrpc":"2.0","id":1,"result":1},{}]"#,
        ] {
            assert!(client.receive(text).is_err(), "{text}");
            assert_eq!(client.waiting(), 1, "{text}");
        }
        let refused =
            client.receive(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#);
        let refused = refused.expect("an error of nobody's");
        assert_eq!((refused[0].id(), refused[0].outcome().map_err(|error| error.code)), (None, Err(-32700)));
        assert!(matches!(refused[0].result::<()>(), Err(Error::Call(error)) if error.code == -32700));
        assert_eq!(client.receive("[]").expect("nothing"), []);
    }

    #[test]
    fn parameters_are_arrays_and_objects_or_none() {
        let text = |params: &serde_json::Value| Client::notification("a\"b", params);
        assert_eq!(
            text(&serde_json::json!({"x": 1})).expect("an object"),
            r#"{"jsonrpc":"2.0","method":"a\"b","params":{"x":1}}"#
        );
        assert_eq!(text(&serde_json::json!(null)).expect("none"), r#"{"jsonrpc":"2.0","method":"a\"b"}"#);
        for params in [serde_json::json!(1), serde_json::json!("[]"), serde_json::json!(true)] {
            assert!(matches!(text(&params), Err(Error::JsonRpc { .. })), "{params}");
        }
    }
}
