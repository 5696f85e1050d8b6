package cliauth

import cliauth.internal.Identity as NativeIdentity

/**
 * The user who logged in, as the server vouches for it.
 *
 * With WorkOS AuthKit, this is the user in the token response. With an OpenID Connect server, it is the verified ID
 * token (OpenID Connect Core section 3.1.3.7), or the response of [Client.userInfo]. There is no identity that was not
 * verified.
 *
 * Identify the user by [subject]. All text is untrusted; call [sanitize] before printing it. [toString] shows the
 * subject only. The object holds no secret and remains usable after the tokens are closed.
 */
public class Identity internal constructor(native: NativeIdentity) {
    /**
     * The ID of the user, which never changes: `sub` of OpenID Connect, or the ID of AuthKit's user, such as
     * `user_01H…`. It is unique at this server only.
     */
    public val subject: String = native.subject

    /**
     * The e-mail address. It may change, and may belong to another user later: do not identify the user by it. OpenID
     * Connect servers name it only if the scope `email` was requested.
     */
    public val email: String? = native.email

    /** Whether the server has verified that the e-mail address is the user's. Null if it does not say. */
    public val emailVerified: Boolean? = native.emailVerified

    /** The full name. OpenID Connect servers name it only if the scope `profile` was requested. */
    public val name: String? = native.name

    /** The ID of the organization that the user logged in to: AuthKit's `organization_id`, or the claim `org_id`. */
    public val organizationId: String? = native.organizationId

    /**
     * All claims, or all members of AuthKit's user, as raw JSON by their names, such as `["admin"]` for `groups`. JSON
     * strings include their quotes.
     */
    public val claims: Map<String, String> = native.claims.toSortedMap()

    override fun toString(): String = "Identity(subject=${sanitize(subject)})"
}
