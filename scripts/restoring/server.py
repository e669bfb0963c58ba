"""The database server, through its own client, and the program, with the restored database as its own."""

import json
import os
import shlex
import shutil
import subprocess
from urllib.parse import unquote, urlsplit, urlunsplit

from .problem import Problem

# What is there while a restore is under way, and is dropped at its end: whoever finds it has half a database.
MARK = "restore_in_progress"


class Server:
    """Where the restored database is to be. `url` is of a user who may do everything there."""

    def __init__(self, url, database, client, folder):
        parts = urlsplit(url)
        if parts.scheme != "mysql" or not parts.hostname:
            raise Problem("DATABASE_URL must be mysql://user:password@host:port of the server to restore to.")
        self.database = database
        self.url = urlunsplit(parts._replace(path="/" + database))
        if client:
            self.client = shlex.split(client)
        else:
            program = shutil.which("mariadb") or shutil.which("mysql")
            if not program:
                raise Problem("the database's client is missing: install mariadb or mysql, or name it with --client.")
            options = folder / "client.cnf"
            quoted = unquote(parts.password or "").replace("\\", "\\\\").replace('"', '\\"')
            with open(os.open(options, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(f'[client]\nhost={parts.hostname}\nport={parts.port or 3306}\nprotocol=tcp\n'
                           f'user="{unquote(parts.username or "root")}"\npassword="{quoted}"\n')
            self.client = [program, f"--defaults-file={options}"]
        self.client += ["--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"]

    def ask(self, sql):
        """The rows of an answer, as texts."""
        run = subprocess.run(self.client, input=sql, capture_output=True, encoding="utf-8", check=False)
        if run.returncode:
            raise Problem(f"the database refuses: {run.stderr.strip()}")
        return [line.split("\t") for line in run.stdout.splitlines()]

    def tables(self):
        return {name for name, in self.ask(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{self.database}'")}

    def begin(self, again):
        """Makes the database, which must not hold anything; with `again`, what an interrupted restore has left is dropped."""
        found = self.tables()
        if MARK in found and again:
            self.ask(f"DROP DATABASE `{self.database}`")
        elif MARK in found:
            raise Problem(f"{self.database} holds half of what an interrupted restore has loaded: --again drops it and begins anew.")
        elif found:
            raise Problem(f"{self.database} is not empty: it has {len(found)} tables. Name a database that is not there yet.")
        self.ask(f"CREATE DATABASE IF NOT EXISTS `{self.database}` CHARACTER SET utf8mb4; CREATE TABLE `{self.database}`.{MARK} (id INT PRIMARY KEY)")

    def end(self):
        self.ask(f"DROP TABLE `{self.database}`.{MARK}")

    def run(self, pieces):
        """Has the client execute what comes piece by piece."""
        process = subprocess.Popen([*self.client, self.database], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            # It has ended, and says why.
            pass
        except BaseException:
            process.kill()
            raise
        finally:
            error = process.stderr.read().decode("utf-8", "replace").strip()
            process.wait()
        if process.returncode:
            raise Problem(f"the database refuses: {error}")

    def columns(self):
        """The names of the columns of each table, in their order; and the tables whose `id` counts up."""
        rows = self.ask("SELECT table_name, column_name, extra FROM information_schema.columns "
                        f"WHERE table_schema = '{self.database}' ORDER BY table_name, ordinal_position")
        names = {}
        for table, column, _ in rows:
            names.setdefault(table, []).append(column)
        return names, {table for table, column, extra in rows if column == "id" and "auto_increment" in extra}


class Program:
    """xmas-api on the restored database. Whatever else it needs comes from the environment of whoever calls, DATA_KEY above all."""

    def __init__(self, command, url):
        self.command = shlex.split(command)
        if not shutil.which(self.command[0]):
            raise Problem(f"{self.command[0]} is no program: name xmas-api with --program.")
        self.env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL_FILE"} | {"DATABASE_URL": url}

    def ask(self, *arguments):
        run = subprocess.run([*self.command, *arguments], env=self.env, capture_output=True, encoding="utf-8", check=False)
        try:
            return json.loads(run.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            raise Problem(f"xmas-api {' '.join(arguments)} fails: {(run.stderr or run.stdout).strip()}") from None

    def objections(self):
        """Why the database cannot be called good: sentences."""
        check = self.ask("check", "--json")
        key = next((setting["value"] for setting in check["settings"] if setting["name"] == "DATA_KEY"), None)
        found = list(check["problems"]) + [warning for warning in check["warnings"] if warning.startswith("DATA_KEY")]
        if key is None:
            found.append("DATA_KEY is not given, so nobody knows whether coupon codes and seeds can be opened: set DATA_KEY_FILE.")
        audit = self.ask("audit", "--json")
        for line in audit["checks"]:
            if line["violations"]:
                found.append(f"xmas-api audit: {line['violations']} violations of {line['name']}: {'; '.join(line['examples'][:3])}")
        return found
