"""Pages for people, on the live service: what they show comes from the functions that answer the API.

`registry` says what a page is, `shell` what is around each, `pages` has them; `door` and `sign_in` decide who comes in.

To add a page: write a file in `pages` with a frozen struct of filters, ``build(sight, filters)`` and, where there is a
table, ``table(sight, filters)``; list it in `pages.registry`. Ask with ``sight.ask(function_of_the_api, name=value)``:
it checks the role that the function needs each time. Put text in with `words`, tables with `tables`, key numbers with
`tiles`, figures with `plots`, inputs with `fields`; wrap handlers in ``sight.doing``. Nothing else draws text: what a
stranger wrote is never markup. `tests/console` walks through every page that is listed.
"""
