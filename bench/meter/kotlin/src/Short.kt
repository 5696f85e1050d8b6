// A minimal login program, comparable to the peers.
//
// usage: ShortKt URL CA_FILE

import cliauth.Client
import java.io.File

fun main(words: Array<String>) {
    val (url, caFile) = words
    val client =
        Client.withEndpoints("$url/oauth2/device_authorization", "$url/oauth2/token", "bench") {
            caPem = File(caFile).readBytes()
        }
    val login = client.login()
    println(login.startBlocking().text())
    login.pollBlocking()
}
