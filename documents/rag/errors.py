"""Errors in two families: permanent ones tell the user what to do, transient ones are tried again.

A class's docstring is its default message; a message names the value it got.
"""


class FootnoteError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or type(self).__doc__ or "")


class PermanentError(FootnoteError):
    """This can't work as it is; change it and try again."""


class TransientError(FootnoteError):
    """This did not work just now; it will be tried again."""

    def __init__(self, message: str = "", *, retry_after: float = 0) -> None:
        """`retry_after` is how many seconds the other side asks to be left alone."""
        super().__init__(message)
        self.retry_after = retry_after


class UnreadableDocument(PermanentError):
    """This file can't be read. Save it again in its program and upload that."""


class PasswordNeeded(UnreadableDocument):
    """This file needs a password."""


class WrongPassword(UnreadableDocument):
    """This password does not open the file. Try another one."""


class InvalidDocument(PermanentError):
    """documents and metadata must be lists of the same length, and each metadata must name a source."""


class UnknownStrategy(PermanentError):
    """There is no strategy of that name."""


class BadVector(PermanentError):
    """The embedding model returned a vector of the wrong size, or one that is empty or not finite."""


class BudgetExhausted(PermanentError):
    """The budget is spent."""


class ModelRefused(PermanentError):
    """The model's endpoint refused the request. Check the address, the key and the model's name."""


class CannotCallTools(ModelRefused):
    """This model can't call tools. Choose another one, or another strategy."""


class ModelUnavailable(TransientError):
    """The model can't be reached. Check that its endpoint is running."""
