/// Who may ask, what they used, and what it costs: API keys, usage rows, prices and bills, in SQLite or PostgreSQL.
///
/// SQL stands in the `...Store` classes and in the migrations, and nowhere else. Times are milliseconds since 1970 in
/// UTC, which both databases hold and compare alike.
package ai.epitome.serve.account;
