"""Pulls images, and runs, replaces, stops or removes containers of docker or podman, kolla's among them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, AskHost, HostScript
from reconciler.domain.observation import Absent, HostReport, Known
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Json, Undo, digest_of
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._container import BODY
from reconciler.steps._judge import asked_once_more, by_exit
from reconciler.steps._shell import flag
from reconciler.steps._show import typed

KIND = "container"
WHERE: Where = "host"
TIMEOUT_S = 1800.0
REPEATABLE = True
INTERRUPTIBLE = False

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
DIGEST = r"sha256:[0-9a-f]{64}"
_REPOSITORY = r"[a-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*"
DOWN = frozenset({"created", "configured", "initialized", "exited", "stopped", "dead"})
Mount = Annotated[str, Field(pattern=r"^[A-Za-z0-9/][^:\x00-\x1f]*:/[^:\x00-\x1f]*(:[A-Za-z]+(,[A-Za-z]+)*)?$")]


class Kolla(Args):
    """What an image of kolla wants: the host's folder with its config.json, and the name of the service in it."""

    service: str = ""
    folder: str = Field(default="", pattern=r"^(/[^:\x00-\x1f]*)?$")
    strategy: Literal["COPY_ALWAYS", "COPY_ONCE"] = "COPY_ALWAYS"


class Model(Args):
    """A container by name and an image by tag or digest; `digest` is what a tag must stand for.

    `mounts` are SOURCE:TARGET[:FLAGS]. `engine` empty means podman where it is there, else docker. `run` is the run
    whose doing `back` takes back; empty: the current one. `of` is the action that it takes back; empty: all of them.
    What is stopped on a `host` that is named is asked for once more.
    """

    action: Literal["pull", "can_pull", "run", "replace", "stop", "start", "back", "remove", "retire"]
    name: str = Field(default="", pattern=f"^({NAME})?$")
    image: str = Field(default="", pattern=f"^({_REPOSITORY}(:{NAME}|@{DIGEST})?)?$")
    digest: str = Field(default="", pattern=f"^({DIGEST})?$")
    engine: Literal["", "docker", "podman"] = ""
    privileged: bool = False
    network: str = Field(default="", pattern=f"^({NAME})?$")
    pid: Literal["", "host"] = ""
    ipc: Literal["", "host"] = ""
    user: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_:.-]*)?$")
    restart: Literal["", "no", "always", "unless-stopped", "on-failure"] = ""
    env: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = {}
    mounts: tuple[Mount, ...] = ()
    command: tuple[str, ...] = ()
    kolla: Kolla | None = None
    stop_s: int = Field(default=60, ge=0, le=3600)
    wait_s: int = Field(default=30, ge=1, le=3600)
    absent_ok: bool = False
    host: str = ""
    of: Literal["", "run", "replace", "stop", "start"] = ""
    run: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.image and self.action in {"pull", "can_pull", "run", "replace"}:
            raise ValueError(f"{self.action} needs an image")
        if not self.name and self.action not in {"pull", "can_pull"}:
            raise ValueError(f"{self.action} needs the container's name")
        return self


def _config(args: Model) -> str:
    return "" if args.kolla is None else args.kolla.folder or f"/var/lib/kolla/config_files/{args.name}"


def run_argv(args: Model) -> tuple[str, ...]:
    """Render what stands behind `run`, in an order that is always the same."""
    env, mounts = dict(args.env), list(args.mounts)
    if args.kolla is not None:
        env = {
            "KOLLA_CONFIG_STRATEGY": args.kolla.strategy,
            "KOLLA_SERVICE_NAME": args.kolla.service or args.name,
        } | env
        mounts = [f"{_config(args)}:/var/lib/kolla/config_files:ro", *mounts]
    chosen = {"--network": args.network, "--pid": args.pid, "--ipc": args.ipc, "--user": args.user}
    words = [f"{name}={text}" for name, text in (*chosen.items(), ("--restart", args.restart)) if text]
    words += ["--privileged"] if args.privileged else []
    words += [word for name, text in sorted(env.items()) for word in ("--env", f"{name}={text}")]
    words += [word for mount in mounts for word in ("--volume", mount)]
    return "--detach", f"--name={args.name}", *words, args.image, *args.command


def effect(args: Model) -> HostScript:
    """Render the order; a container carries the digest of its own argv, so that the same one is known again."""
    making = args.action in {"run", "replace"}
    argv = run_argv(args) if making else ()
    spec = digest_of(list(argv)) if making else ""
    fixed = (args.engine, args.action, args.name, args.image, args.digest or args.image.partition("@")[2], spec)
    chosen = (str(args.stop_s), str(args.wait_s), flag(args.absent_ok), _config(args) if making else "")
    label = (f"--label=reconciler.spec={spec}",) if making else ()
    env = {"OF_RUN": args.run} if args.run else {}
    env |= {"OF_ACTION": args.of} if args.of else {}
    return HostScript(body=BODY, args=(*fixed, *chosen, *label, *argv), env=env)


def shows(args: Model) -> tuple[str, ...]:
    """Show the lines of the engine."""
    engine, kept = args.engine or "podman", f"{args.name}.before-RUN"
    run = typed((engine, "run", *run_argv(args)))
    stop = typed((engine, "stop", "-t", str(args.stop_s), args.name))
    keep = typed((engine, "rename", args.name, kept))
    return {
        "pull": (typed((engine, "pull", args.image)),),
        "can_pull": (typed((engine, "manifest", "inspect", args.image)),),
        "run": (run,),
        "replace": (stop, keep, run),
        "stop": (stop,),
        "start": (typed((engine, "start", args.name)),),
        "back": (f"bring container {args.name} back to what it was before this run",),
        "remove": (typed((engine, "rm", "--force", args.name)),),
        "retire": (typed((engine, "rm", "--force", kept)),),
    }[args.action]


def title(args: Model) -> str:
    """Name the container or its image."""
    return {
        "pull": f"pull {args.image}",
        "can_pull": f"see that {args.image} can be pulled",
        "run": f"run container {args.name} from {args.image}",
        "replace": f"replace container {args.name} by one from {args.image}",
        "back": f"bring container {args.name} back",
        "retire": f"remove what container {args.name} was before",
    }.get(args.action, f"{args.action} container {args.name}")


def undo(args: Model) -> Undo | None:
    """Bring the container back to what it was before this; a pull does no harm, what is removed is gone."""
    if args.action not in {"run", "replace", "stop", "start"}:
        return None
    timing: dict[str, Json] = {"stop_s": args.stop_s, "wait_s": args.wait_s}
    where: dict[str, Json] = {"host": args.host} if args.host else {}
    common: dict[str, Json] = {"name": args.name, "engine": args.engine, "run": "", **timing, **where}
    back: dict[str, Json] = {"action": "back", "of": args.action, **common}
    return Undo(KIND, back, f"bring container {args.name} back")


def proved(args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    runs = args.action in {"run", "replace", "start"}
    again = ("asked again, the host does not show it running, where it is to be stopped",) if proofs(args) else ()
    return (f"the engine shows {'that it runs, from this image' if runs else 'it'}", *again)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask for what was stopped once more: databases are changed and put back in the belief that it is."""
    if args.action not in {"stop", "back"} or not args.host:
        return ()
    return (AskHost(host=args.host, service=args.name, form="container", engine=args.engine),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Follow the script, and who was asked once more; leaves `image_id`, `digest` and `started_at` of what runs."""
    hint = "Can the host reach the registry?" if args.action in {"pull", "can_pull"} else "Read the container's log."
    outcome = by_exit(evidence, hint=hint)
    was = outcome.values.get("was") if isinstance(outcome, Done) else ""
    stopped = args.action == "stop" or was in {"stopped", "absent"}
    return asked_once_more(outcome, evidence, proofs(args) if stopped else (), partial(_still_up, args))


def _still_up(args: Model, report: HostReport) -> Failed | Lost | None:
    """Say whether the container runs, or that nobody can tell; one that is left out of the list of all is not there."""
    seen = report.containers.get(args.name)
    if isinstance(seen, Known) and seen.value.state not in DOWN:
        hint = "Somebody or something started it, or the host is not what it was: look at its log, then retry."
        return Failed(Reason.STEP_FAILED, f"stopped, but when asked again {args.name} is {seen.value.state}", hint)
    if isinstance(seen, Known) or isinstance(report.containers.get("*"), Absent):
        return None
    return Lost(Reason.STEP_LOST, f"nobody can tell whether {args.name} still runs")
