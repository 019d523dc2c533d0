"""The courier's mails in real SMTP conversations, and in its folder where there is no server."""
import email
import email.policy
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from wire import Client

BIN = pathlib.Path(os.environ.get("ASSIST_BUILD", pathlib.Path(__file__).parents[2] / "build")) / "bin"
PASSWORD = "correct horse"
DEADLINE_S = 20


def until(what, condition, deadline_s=DEADLINE_S):
    """Waits for a condition and answers its value."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {deadline_s} s: {what}")


class Desk:
    """identity and courier in a folder of their own."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="assist-"))
        self.processes = {}
        self.op = 0
        for service in ("identity", "courier"):
            for part in (f"run/assist-{service}", f"state/{service}", f"keys/{service}"):
                (self.root / part).mkdir(parents=True)
        (self.root / "etc").mkdir()
        for name in ("caller", "project"):
            (self.root / "keys/identity" / name).write_text(os.urandom(32).hex() + "\n")
        self.configure()

    def configure(self, **mail):
        lines = ["[project]", "development = yes", "[overlay]", "driver = loopback", "loopback_address = 127.0.0.1", "[mail]",
                 "mail_from = Support desk <desk@example.org>"]
        lines += [f"{key} = {value}" for key, value in mail.items()]
        (self.root / "etc/assist.conf").write_text("\n".join(lines) + "\n")

    def start(self, *services):
        for service in services:
            log = open(self.root / f"{service}.log", "ab")
            self.processes[service] = subprocess.Popen([BIN / f"assist-{service}", "--root", self.root], stdout=log, stderr=log)
        if "identity" in services:
            until("identity answers", self.is_up)

    def is_up(self):
        assert self.processes["identity"].poll() is None, self.log("identity")
        try:
            self.identity("identity.stats", [])
            return True
        except OSError:
            return False

    def kill(self, service):
        process = self.processes.pop(service)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def log(self, service):
        return (self.root / f"{service}.log").read_text()

    def identity(self, method, params, caller=None):
        with Client(self.root / "run/assist-identity/rpc.sock") as client:
            return client.call(method, params, caller)

    def op_id(self):
        self.op += 1
        return self.op.to_bytes(16, "big")

    def add_user(self, address):
        self.identity("user.add", [self.op_id(), address, "Someone", "customer"])

    def enroll(self, address, device="127.0.0.2", label="My phone"):
        """Asks for a code as a stranger does; answers the caller, to redeem with."""
        nonce = self.identity("session.nonce", [device])[0]
        token = self.identity("session.open", [device, nonce, None])[0]
        caller = self.identity("session.resolve", [token, device])[0]
        self.identity("enroll.start", [self.op_id(), address, label], caller)
        return caller

    def outbox(self):
        """The newest mail: (to, attempts, outcome, status)."""
        newest = self.identity("outbox.list", [None, 10])[0][0]
        return newest[1], newest[5], newest[6], newest[7]

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        try:
            for service, process in self.processes.items():
                assert process.wait(10) == 0, self.log(service)
        finally:
            for process in self.processes.values():
                process.kill()
        shutil.rmtree(self.root)


class Mailbox:
    """What the SMTP server hears and says."""

    def __init__(self):
        self.mails = []
        self.refusals = []  # answers to RCPT, each used once

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session.ssl is not None, envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 taken"


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "crt"],
                   check=True, capture_output=True)
    return folder


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(mailbox, port, certificate=None):
    extra = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "crt", certificate / "key")
        extra = dict(tls_context=context, require_starttls=True, auth_required=True,
                     authenticator=lambda server, session, envelope, mechanism, data: AuthResult(
                         success=data.login == b"desk" and data.password == PASSWORD.encode()))
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **extra)
    controller.start()
    return controller


def code_of(mail):
    text = email.message_from_bytes(mail, policy=email.policy.default).get_content()
    return text.split("/bind#")[1][:8]


def test_a_code_arrives_by_smtp_with_starttls_and_a_password_and_binds_the_device(desk, certificate):
    mailbox, port = Mailbox(), free_port()
    controller = serve(mailbox, port, certificate)
    try:
        desk.configure(smtp_url=f"smtp://127.0.0.1:{port}", smtp_starttls="yes", smtp_ca_file=certificate / "crt", smtp_user="desk")
        (desk.root / "keys/courier/smtp-password").write_text(PASSWORD + "\n")
        desk.start("identity", "courier")
        desk.add_user("ada@example.org")
        caller = desk.enroll("Ada@Example.org", label="Ada phone")
        until("the mail is there", lambda: mailbox.mails)
        encrypted, sender, recipients, content = mailbox.mails[0]
        assert encrypted and sender == "desk@example.org" and recipients == ["ada@example.org"]
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert mail["From"] == "Support desk <desk@example.org>" and mail["To"] == "ada@example.org"
        assert mail["Message-ID"].endswith("@example.org>") and mail["Date"].datetime.timestamp() > time.time() - 60
        assert "Ada phone" in mail.get_content()
        secret = desk.identity("enroll.redeem", [desk.op_id(), code_of(content)], caller)[3]
        assert len(secret) == 32
        until("and the user is told", lambda: len(mailbox.mails) == 2)
        until("both are noted as sent", lambda: desk.outbox()[2:] == ("sent", 250))
        assert "ada@" not in desk.log("courier") and code_of(content) not in desk.log("courier") + desk.log("identity")
    finally:
        controller.stop()


def test_a_decoy_goes_nowhere(desk):
    mailbox, port = Mailbox(), free_port()
    controller = serve(mailbox, port)
    try:
        desk.configure(smtp_url=f"smtp://127.0.0.1:{port}", smtp_starttls="no")
        desk.start("identity", "courier")
        desk.enroll("elvis@example.org")
        until("it is done with", lambda: desk.outbox()[2] == "sent")
        assert desk.outbox()[0] == "" and mailbox.mails == []
    finally:
        controller.stop()


def test_a_server_without_starttls_or_with_another_certificate_gets_no_mail(desk, certificate):
    mailbox, port = Mailbox(), free_port()
    controller = serve(mailbox, port)
    try:
        desk.configure(smtp_url=f"smtp://127.0.0.1:{port}", smtp_starttls="yes")
        desk.start("identity", "courier")
        desk.add_user("ada@example.org")
        desk.enroll("ada@example.org")
        until("it was tried", lambda: desk.outbox()[1] > 0)
        assert desk.outbox()[2] is None and mailbox.mails == []
    finally:
        controller.stop()
    controller = serve(mailbox, port, certificate)
    try:
        attempts = desk.outbox()[1]
        until("it was tried again", lambda: desk.outbox()[1] > attempts)
        assert desk.outbox()[2] is None and desk.outbox()[3] < 0 or desk.outbox()[3] >= 220
        assert mailbox.mails == []
    finally:
        controller.stop()


def test_a_mail_put_off_by_4xx_is_tried_again_and_arrives_once(desk):
    mailbox, port = Mailbox(), free_port()
    mailbox.refusals = ["450 busy"]
    controller = serve(mailbox, port)
    try:
        desk.configure(smtp_url=f"smtp://127.0.0.1:{port}", smtp_starttls="no")
        desk.start("identity", "courier")
        desk.add_user("ada@example.org")
        desk.enroll("ada@example.org")
        until("it was put off", lambda: desk.outbox()[1:] == (1, None, 450))
        until("it is sent", lambda: desk.outbox()[1:] == (2, "sent", 250))
        assert len(mailbox.mails) == 1
    finally:
        controller.stop()


def test_a_mail_refused_by_5xx_has_failed_and_the_operator_sees_it(desk):
    mailbox, port = Mailbox(), free_port()
    mailbox.refusals = ["550 no such person"]
    controller = serve(mailbox, port)
    try:
        desk.configure(smtp_url=f"smtp://127.0.0.1:{port}", smtp_starttls="no")
        desk.start("identity", "courier")
        desk.add_user("ada@example.org")
        desk.enroll("ada@example.org")
        until("it has failed", lambda: desk.outbox() == ("ada@example.org", 1, "failed", 550))
        assert mailbox.mails == [] and "550" in desk.log("courier") and "no such person" not in desk.log("courier")
    finally:
        controller.stop()


def test_a_server_that_is_down_for_a_while_loses_nothing(desk):
    mailbox, port = Mailbox(), free_port()
    desk.configure(smtp_url=f"smtp://127.0.0.1:{port}", smtp_starttls="no")
    desk.start("identity", "courier")
    desk.add_user("ada@example.org")
    desk.enroll("ada@example.org")
    until("it was tried", lambda: desk.outbox()[1] > 0)
    assert desk.outbox()[3] < 0
    controller = serve(mailbox, port)
    try:
        until("it is sent", lambda: desk.outbox()[2] == "sent")
        assert len(mailbox.mails) == 1
    finally:
        controller.stop()


def test_without_a_server_mails_are_private_files_and_killed_services_lose_none(desk):
    folder = desk.root / "state/courier/mail"
    desk.start("identity")
    desk.add_user("ada@example.org")
    caller = desk.enroll("ada@example.org")
    desk.kill("identity")
    desk.start("courier", "identity")
    file = until("the mail is there", lambda: list(folder.glob("*.eml")) if folder.exists() else None)[0]
    assert file.stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
    until("it is noted as sent", lambda: desk.outbox()[2] == "sent")
    desk.kill("courier")
    desk.identity("enroll.redeem", [desk.op_id(), code_of(file.read_bytes())], caller)
    desk.start("courier")
    until("the user is told", lambda: len(list(folder.glob("*.eml"))) == 2)
