/// Keys, prices and what was used: `key`, `price`, `usage`, `bill`; and `feedback`, from the same database.
package ai.epitome.cli.account;
