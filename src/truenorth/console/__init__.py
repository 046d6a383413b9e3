"""Pages for people, on the live service: what they show comes from the functions that answer the API.

`registry` says what a page is, `shell` what is around each, `pages` has them; `door` and `sign_in` decide who comes in.
"""
