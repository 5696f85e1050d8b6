// Uses the sub-module as well.
package main

import (
	"cliauth"
	cliauthoauth2 "cliauth/oauth2"
)

func main() {
	println(cliauthoauth2.Token(&cliauth.Tokens{TokenType: "bearer"}).Type())
}
