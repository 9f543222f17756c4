//! The example `json_rpc` with Python's jsonrpcclient and jsonrpcserver, over its websockets and urllib.

use std::process::{Command, Stdio};

use mongoose_tests::example;

use crate::peers::python_has;
use crate::program::HttpServer;
use crate::python::script;

#[test]
fn pythons_json_rpc_calls_the_server_and_is_called_by_the_client() {
    if !["jsonrpcclient", "jsonrpcserver", "websockets"]
        .into_iter()
        .all(|module| python_has(module, "json_rpc"))
    {
        return;
    }
    let program = example("json_rpc", "json-rpc");
    let mut command = Command::new(&program);
    command.arg("http://127.0.0.1:0").stdin(Stdio::null());
    let server = HttpServer::serving(command, 1);
    script("json_rpc", &[&server.addresses[0].port().to_string(), &program]);
}
