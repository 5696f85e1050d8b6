package guide

import Server
import cliauth.ClientOptions

/** The server that the programs of the documents log in to, while one runs. */
object TestServer {
    lateinit var server: Server
}

/** What the documents say of AuthKit goes to that server. */
fun atTheTestServer(options: ClientOptions) {
    options.apiBase = TestServer.server.url
    TestServer.server.trust(options)
}
