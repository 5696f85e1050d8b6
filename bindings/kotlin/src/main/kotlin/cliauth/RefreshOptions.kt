package cliauth

import cliauth.internal.Param as NativeParam
import cliauth.internal.RefreshOptions as NativeOptions

/**
 * What a [Client.refresh] asks for besides new tokens. They are checked before anything is sent. An
 * [InvalidConfigException] names the option that is invalid.
 */
public class RefreshOptions internal constructor() {
    private val scopes = mutableListOf<String>()
    private val params = mutableListOf<Pair<String, String>>()

    /**
     * The user that the tokens must be for: the [Identity.subject] of the login. If the response identifies another
     * user, the refresh throws [InvalidResponseException] (OpenID Connect Core section 12.2). Defaults to null, which
     * allows any user.
     */
    public var subject: String? = null

    /**
     * Asks for an access token with these scopes only, which must be among those that the user granted (RFC 6749
     * section 6). Defaults to all of them.
     */
    public fun scopes(vararg scopes: String): RefreshOptions = apply { this.scopes += scopes }

    /** Asks for an access token with these scopes only. */
    public fun scopes(scopes: Iterable<String>): RefreshOptions = apply { this.scopes += scopes }

    /**
     * Adds a parameter to the request, such as `resource` (RFC 8707 section 2.2) or the `organization_id` of WorkOS. It
     * replaces those of [ClientOptions.refreshParam] with the same name. The rules are those of [ClientOptions.param].
     */
    public fun param(name: String, value: String): RefreshOptions = apply { params += name to value }

    internal fun toNative(): NativeOptions = NativeOptions(
        scopes = scopes.map { checked("a scope", it) },
        params = params.map { (name, value) ->
            NativeParam(checked("a parameter's name", name), checked("the parameter $name", value))
        },
        subject = subject?.let { checked("subject", it) },
    )
}
