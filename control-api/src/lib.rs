//! The door: REST, WebSocket, OpenAPI and the console's files.
