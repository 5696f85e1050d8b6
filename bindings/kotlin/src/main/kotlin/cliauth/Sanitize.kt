@file:JvmName("CliAuth")

package cliauth

import cliauth.internal.sanitize as nativeSanitize

/**
 * [text], which came from a server, as it may be shown in a terminal: without control and invisible characters, and not
 * endless.
 */
public fun sanitize(text: String): String = nativeSanitize(String(text.toByteArray()))
