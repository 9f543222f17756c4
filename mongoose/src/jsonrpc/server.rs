//! Methods, and how they are found.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::{Call, ErrorObject, is_response_object, is_version_2};
use crate::json::{Kind, Value};
use crate::{glob, json};

/// How many calls a batch may have unless the server says otherwise.
const MAX_BATCH: usize = 100;

/// What answers a call: JSON.
type Method<C> = Box<dyn Fn(Call<'_, C>) -> Result<String, ErrorObject>>;

/// The methods that peers may call: see [the module](super).
///
/// `C` is what a method is told besides the call, such as who is calling: [`Call::context`].
///
/// ```
/// use mongoose::jsonrpc::{Call, ErrorObject, Server};
///
/// struct Caller {
///     is_admin: bool,
/// }
///
/// let mut server = Server::new();
/// server.method("device.*.reset", |call: Call<'_, Caller>| {
///     if !call.context().is_admin {
///         return Err(ErrorObject::new(403, "for administrators alone"));
///     }
///     Ok(format!("{} is reset", call.captures()[0]))
/// });
/// let text = r#"{"jsonrpc": "2.0", "id": 1, "method": "device.7.reset"}"#;
/// assert_eq!(
///     server.process(text, &Caller { is_admin: true }).as_deref(),
///     Some(r#"{"jsonrpc":"2.0","result":"7 is reset","id":1}"#),
/// );
/// ```
#[doc(alias = "mg_rpc")]
pub struct Server<C = ()> {
    /// The newest last.
    methods: Vec<(String, Method<C>)>,
    lists_methods: bool,
    max_batch: usize,
}

impl<C> Server<C> {
    /// Without methods.
    pub fn new() -> Self {
        Self { methods: Vec::new(), lists_methods: false, max_batch: MAX_BATCH }
    }

    /// Adds a method: its name, or a [pattern](glob) of names. Of those that match, the one that was added last is called.
    ///
    /// It answers what can be JSON, or an [`ErrorObject`]. Of a notification nobody learns either.
    #[doc(alias = "mg_rpc_add")]
    #[doc(alias = "mg_rpc_ok")]
    pub fn method<R: Serialize>(
        &mut self,
        pattern: &str,
        method: impl Fn(Call<'_, C>) -> Result<R, ErrorObject> + 'static,
    ) -> &mut Self {
        let method: Method<C> = Box::new(move |call| {
            let result = method(call)?;
            // A map whose keys are no text, say.
            serde_json::to_string(&result)
                .map_err(|_| ErrorObject::new(ErrorObject::INTERNAL_ERROR, "Internal error"))
        });
        self.methods.push((pattern.to_owned(), method));
        self
    }

    /// Removes what was added with this name or pattern. Answers whether there was any.
    #[doc(alias = "mg_rpc_del")]
    pub fn remove(&mut self, pattern: &str) -> bool {
        let before = self.methods.len();
        self.methods.retain(|(found, _)| found != pattern);
        self.methods.len() < before
    }

    /// Adds the method `rpc.list`, which answers the names and patterns of the others. Off by default.
    #[doc(alias = "mg_rpc_list")]
    pub fn list_methods(&mut self) -> &mut Self {
        self.lists_methods = true;
        self
    }

    /// How many calls a batch may have: 100 by default. A longer one is an
    /// [`INVALID_REQUEST`](ErrorObject::INVALID_REQUEST), and none of its methods is called.
    pub fn max_batch(&mut self, calls: usize) -> &mut Self {
        self.max_batch = calls;
        self
    }

    /// Calls what a text asks for, and answers the text to be sent back. `None` when there is none: for notifications, and
    /// for the answers of others, so that two peers never answer each other's answers.
    ///
    /// The calls of a batch run in their order.
    #[doc(alias = "mg_rpc_process")]
    pub fn process(&self, text: impl AsRef<[u8]>, context: &C) -> Option<String> {
        let value = match json::parse(text.as_ref()) {
            Ok(value) => value,
            Err(error) => {
                let error =
                    ErrorObject::new(ErrorObject::PARSE_ERROR, "Parse error").with_data(error.to_string());
                return Some(respond(None, Err(error)));
            }
        };
        if value.kind() != Kind::Array {
            return self.answer(value, context);
        }
        match value.elements().take(self.max_batch.saturating_add(1)).count() {
            0 => return Some(respond(None, Err(invalid("a batch of nothing")))),
            count if count > self.max_batch => {
                let reason = format!("a batch of more than {} calls", self.max_batch);
                return Some(respond(None, Err(invalid(&reason))));
            }
            _ => {}
        }
        let answers: Vec<String> = value.elements().filter_map(|call| self.answer(call, context)).collect();
        (!answers.is_empty()).then(|| format!("[{}]", answers.join(",")))
    }

    /// Answers one call.
    fn answer(&self, value: Value<'_>, context: &C) -> Option<String> {
        if is_response_object(value) {
            return None;
        }
        let request = match Request::read(value) {
            Ok(request) => request,
            // What is no request is no notification either (section 4.1).
            Err((id, reason)) => return Some(respond(id, Err(invalid(reason)))),
        };
        let outcome = self.call(&request, context);
        request.id.map(|id| respond(Some(id), outcome))
    }

    fn call(&self, request: &Request<'_>, context: &C) -> Result<String, ErrorObject> {
        let matching = self.methods.iter().rev().find(|(pattern, _)| glob::matches(&request.method, pattern));
        if let Some((pattern, method)) = matching {
            let Request { params, id, .. } = *request;
            return method(Call { method: &request.method, pattern, params, id, context });
        }
        if self.lists_methods && request.method == "rpc.list" {
            let names: Vec<String> = self.methods.iter().map(|(name, _)| json::quote(name)).collect();
            return Ok(format!("[{}]", names.join(",")));
        }
        Err(ErrorObject::new(ErrorObject::METHOD_NOT_FOUND, "Method not found"))
    }
}

impl<C> Default for Server<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> fmt::Debug for Server<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.methods.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Server")
            .field("methods", &names)
            .field("max_batch", &self.max_batch)
            .finish_non_exhaustive()
    }
}

/// A call as the peer sent it (section 4).
struct Request<'r> {
    method: Cow<'r, str>,
    params: Option<Value<'r>>,
    /// `None` for a notification.
    id: Option<Value<'r>>,
}

impl<'r> Request<'r> {
    /// Checks all of it. An error is the `id`, where there is a valid one, and what is wrong.
    fn read(value: Value<'r>) -> Result<Self, (Option<Value<'r>>, &'static str)> {
        if value.kind() != Kind::Object {
            return Err((None, "no object"));
        }
        let twice = |_| (None, "a member is there twice");
        let id = value.member("id").map_err(twice)?;
        if id.is_some_and(|id| !matches!(id.kind(), Kind::String | Kind::Number | Kind::Null)) {
            return Err((None, "an id that is no string, no number and not null"));
        }
        if !is_version_2(value) {
            return Err((id, "no \"jsonrpc\": \"2.0\""));
        }
        let method = value.member("method").map_err(twice)?.and_then(|method| method.as_str());
        let method = method.ok_or((id, "no method's name"))?;
        let params = value.member("params").map_err(twice)?;
        if params.is_some_and(|params| !matches!(params.kind(), Kind::Array | Kind::Object)) {
            return Err((id, "params that are no array and no object"));
        }
        Ok(Self { method, params, id })
    }
}

fn invalid(reason: &str) -> ErrorObject {
    ErrorObject::new(ErrorObject::INVALID_REQUEST, "Invalid Request").with_data(reason)
}

/// The text of an answer (section 5).
fn respond(id: Option<Value<'_>>, outcome: Result<String, ErrorObject>) -> String {
    let mut text = String::from(r#"{"jsonrpc":"2.0","#);
    match outcome {
        Ok(result) => {
            text.push_str(r#""result":"#);
            text.push_str(&result);
        }
        Err(error) => {
            text.push_str(r#""error":"#);
            error.write(&mut text);
        }
    }
    text.push_str(r#","id":"#);
    text.push_str(id.map_or("null", |id| id.text()));
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// The methods of the specification's examples (section 7), and how often one was called.
    fn server() -> (Server, Rc<Cell<u32>>) {
        let called = Rc::new(Cell::new(0));
        let mut server = Server::new();
        server
            .method("subtract", |call: Call<'_>| {
                if call.raw_params().is_some_and(|params| params.kind() == Kind::Object) {
                    let named: std::collections::BTreeMap<&str, i64> = call.params()?;
                    return Ok(named["minuend"] - named["subtrahend"]);
                }
                let (minuend, subtrahend): (i64, i64) = call.params()?;
                Ok(minuend - subtrahend)
            })
            .method("sum", |call: Call<'_>| Ok(call.params::<Vec<i64>>()?.iter().sum::<i64>()))
            .method("get_data", |_: Call<'_>| Ok(("hello", 5)))
            .method("update", {
                let called = Rc::clone(&called);
                move |_: Call<'_>| {
                    called.set(called.get() + 1);
                    Ok(())
                }
            });
        (server, called)
    }

    fn code(answer: Option<String>) -> i64 {
        let answer = answer.expect("an answer");
        json::get_i64(&answer, "$.error.code").expect("JSON").unwrap_or_else(|| panic!("{answer}"))
    }

    #[test]
    fn section_7_calls_and_notifications() {
        let (server, called) = server();
        for (request, answer) in [
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
                Some(r#"{"jsonrpc":"2.0","result":19,"id":1}"#),
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": "x\u0041"}"#,
                Some(r#"{"jsonrpc":"2.0","result":19,"id":"x\u0041"}"#),
            ),
            (r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#, None),
            (r#"{"jsonrpc": "2.0", "method": "foobar"}"#, None),
            (
                r#"{"jsonrpc": "2.0", "method": "update", "id": null}"#,
                Some(r#"{"jsonrpc":"2.0","result":null,"id":null}"#),
            ),
        ] {
            assert_eq!(server.process(request, &()).as_deref(), answer, "{request}");
        }
        assert_eq!(called.get(), 2);
    }

    #[test]
    fn section_7_errors() {
        let (server, called) = server();
        for (request, expected, id) in [
            (r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#, -32601, "\"1\""),
            (r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#, -32700, "null"),
            (r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, -32600, "null"),
            (r#"{"jsonrpc": "2.0", "method": "update", "params": "bar"}"#, -32600, "null"),
            (r#"{"jsonrpc": "2.0", "method": "update", "params": null, "id": 3}"#, -32600, "3"),
            (
                r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method""#,
                -32700,
                "null",
            ),
            ("[]", -32600, "null"),
            ("1", -32600, "null"),
            ("", -32700, "null"),
            ("{}", -32600, "null"),
            (r#"{"method": "update", "id": 1}"#, -32600, "1"),
            (r#"{"jsonrpc": "1.0", "method": "update", "id": 1}"#, -32600, "1"),
            (r#"{"jsonrpc": 2.0, "method": "update", "id": 1}"#, -32600, "1"),
            (r#"{"jsonrpc": "2.0", "method": "update", "id": {}}"#, -32600, "null"),
            (r#"{"jsonrpc": "2.0", "method": "update", "id": 1, "id": 2}"#, -32600, "null"),
            (r#"{"jsonrpc": "2.0", "method": "update", "method": "sum", "id": 1}"#, -32600, "null"),
            (r#"{"jsonrpc": "2.0", "method": "subtract", "params": [1], "id": 1}"#, -32602, "1"),
            (r#"{"jsonrpc": "2.0", "method": "subtract", "id": 1}"#, -32602, "1"),
            (r#"{"jsonrpc": "2.0", "method": "rpc.list", "id": 1}"#, -32601, "1"),
        ] {
            let answer = server.process(request, &());
            assert_eq!(
                json::get(answer.as_deref().expect(request), "$.id").expect("JSON").expect("an id").text(),
                id
            );
            assert_eq!(code(answer), expected, "{request}");
        }
        assert_eq!(called.get(), 0);
    }

    #[test]
    fn section_7_batches() {
        let (server, called) = server();
        let batch = r#"[
            {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "update", "params": [7]},
            {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
        ]"#;
        let answer = server.process(batch, &()).expect("an answer");
        let answer: Vec<String> =
            json::parse(&answer).expect("JSON").elements().map(|answer| answer.text().to_owned()).collect();
        assert_eq!(answer.len(), 5);
        assert_eq!(answer[0], r#"{"jsonrpc":"2.0","result":7,"id":"1"}"#);
        assert_eq!(answer[1], r#"{"jsonrpc":"2.0","result":19,"id":"2"}"#);
        assert_eq!(json::get_i64(&answer[2], "$.error.code").expect("JSON"), Some(-32600));
        assert_eq!(json::get_i64(&answer[3], "$.error.code").expect("JSON"), Some(-32601));
        assert_eq!(answer[4], r#"{"jsonrpc":"2.0","result":["hello",5],"id":"9"}"#);
        assert_eq!(called.get(), 1);

        let notifications =
            r#"[{"jsonrpc": "2.0", "method": "update"}, {"jsonrpc": "2.0", "method": "nothing"}]"#;
        assert_eq!(server.process(notifications, &()), None);
        let answer = server.process("[1,2,3]", &()).expect("an answer");
        assert_eq!(json::parse(&answer).expect("JSON").elements().count(), 3);
        assert_eq!(called.get(), 2);
    }

    #[test]
    fn a_batch_is_bounded() {
        let (mut server, called) = server();
        let batch =
            |calls: usize| format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"update"}"#; calls].join(","));
        assert_eq!(server.process(batch(100), &()), None);
        assert_eq!(called.get(), 100);
        assert_eq!(code(server.process(batch(101), &())), -32600);
        assert_eq!(called.get(), 100);
        server.max_batch(usize::MAX);
        assert_eq!(server.process(batch(101), &()), None);
        server.max_batch(0);
        assert_eq!(code(server.process(batch(1), &())), -32600);
    }

    #[test]
    fn answers_are_never_answered() {
        let (server, _) = server();
        let refused = server.process("", &()).expect("an error");
        assert_eq!(server.process(&refused, &()), None);
        assert_eq!(server.process(format!("[{refused},{refused}]"), &()), None);
    }

    #[test]
    fn the_last_of_the_matching_methods_is_called_and_the_list_has_all() {
        let mut server = Server::new();
        server
            .method("a.*", |call: Call<'_>| Ok(call.captures()[0].to_owned()))
            .method("a.b", |_: Call<'_>| Ok("exactly"))
            .list_methods();
        let result = |server: &Server, method: &str| {
            let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
            let answer = server.process(request, &()).expect("an answer");
            json::get(&answer, "$.result").expect("JSON").expect("a result").text().to_owned()
        };
        assert_eq!(result(&server, "a.b"), "\"exactly\"");
        assert_eq!(result(&server, "a.c\\u0064"), "\"cd\"");
        assert_eq!(result(&server, "rpc.list"), r#"["a.*","a.b"]"#);
        assert!(server.remove("a.b") && !server.remove("a.b"));
        assert_eq!(result(&server, "a.b"), "\"b\"");
    }

    #[test]
    fn what_cannot_be_json_is_an_error_of_ours() {
        let mut server = Server::new();
        server.method("m", |_: Call<'_>| Ok(std::collections::BTreeMap::from([((1, 2), 3)])));
        assert_eq!(code(server.process(r#"{"jsonrpc":"2.0","id":1,"method":"m"}"#, &())), -32603);
    }
}
