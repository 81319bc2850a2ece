"""What all endpoints need: the exchange, the time, and whose request it is."""

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.edge.auth import AuthError, check_token, holder_of
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.rest.query import NO_MARKET, ApiError, Query, invalid
from lighter_hedge.simulator.edge.venue import Venue

NO_TOKEN = "auth query param and Authorization header are empty"  # noqa: S105


class Context:
    """Endpoints of one subject are methods of a class on this one: they take a query and return a body."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.state = venue.exchange.state

    def market(self, query: Query, name: str = "market_id") -> int:
        """The market that must be named."""
        return self.known_market(query.integer(name, most=2**15 - 1))

    def market_or_none(self, query: Query, name: str = "market_id") -> int | None:
        """The market that may be named; 255 is all of them."""
        index = query.integer(name, NO_MARKET, most=2**15 - 1)
        return None if index == NO_MARKET else self.known_market(index)

    def known_market(self, index: int) -> int:
        """A market's index, if there is such a market.

        Raises:
            ApiError: there is not.
        """
        if index not in self.state.markets:
            raise ApiError(21602, "invalid market index")
        return index

    def account_named(self, query: Query) -> Account:
        """The account that must be named."""
        account = self.venue.account(query.integer("account_index"))
        if account is None:
            raise ApiError(21100, "account not found")
        return account

    def own_account(self, query: Query) -> Account:
        """The account that must be named, opened by the token."""
        account = self.account_named(query)
        self.check(query, account)
        return account

    def holder(self, query: Query) -> Account:
        """The account that the token itself is of."""
        if not query.token:
            raise invalid(NO_TOKEN)
        index = holder_of(query.token)
        account = None if index is None else self.venue.account(index)
        if account is None:
            raise ApiError(20013, "invalid auth: invalid account index", 401)
        self.check(query, account)
        return account

    def own_wallet(self, query: Query) -> str:
        """The L1 address that must be named, of the wallet that the token is of."""
        address = query.text("l1_address")
        if self.holder(query).l1_address.lower() != address.lower():
            raise ApiError(20013, "invalid auth: invalid account index", 401)
        return address

    def check(self, query: Query, account: Account) -> None:
        """Check that the token opens the account."""
        if not query.token:
            raise invalid(NO_TOKEN)
        try:
            verify = self.venue.settings.verify_signatures
            now_us = self.venue.now_us()
            check_token(
                self.venue.exchange, query.token, account.account_index, now_us, verify=verify, writes=query.writes
            )
        except AuthError as error:
            # Recorded with HTTP 401, where a request without a token gets 400.
            raise ApiError(error.code, error.message, 401) from None

    def of_wallet(self, l1_address: str) -> list[Account]:
        """Accounts of a wallet.

        Raises:
            ApiError: it has none.
        """
        wanted = l1_address.lower()
        found = [one for one in self.state.accounts.values() if one.l1_address.lower() == wanted]
        if not found:
            raise ApiError(21100, "account not found")
        return found

    def accounts_by(self, query: Query) -> list[Account]:
        """Accounts by ``by`` and ``value``: one index, or a wallet."""
        by, value = query.choice("by", ("index", "l1_address")), query.text("value")
        if by == "l1_address":
            return self.of_wallet(value)
        number = whole_number(value)
        if number is None:
            raise invalid("value")
        account = self.venue.account(number)
        if account is None:
            raise ApiError(21100, "account not found")
        return [account]

    def cutoff(self, account_index: int | None) -> int:
        """What history may show of an account: the newest part may lag."""
        return self.venue.cutoff_us(account_index, self.venue.now_us())
