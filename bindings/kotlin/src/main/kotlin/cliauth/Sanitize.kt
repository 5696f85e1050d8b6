@file:JvmName("CliAuth")

package cliauth

import cliauth.internal.sanitize as nativeSanitize

/**
 * Returns [text], which was received from a server, in a form that is safe to print on a terminal. Control characters and
 * invisible characters are removed. Text over 400 characters is truncated.
 */
public fun sanitize(text: String): String = nativeSanitize(String(text.toByteArray()))
