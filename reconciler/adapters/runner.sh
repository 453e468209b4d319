# The runner: what the daemon has a host do. It arrives on standard input with every request; nothing is installed.
# POSIX sh (dash, busybox, bash), coreutils, and flock and setsid of util-linux. docs/explanation/host-steps.md explains it.
#
# It answers in lines. A line without a space is base64 and belongs to the next line that starts with a number.
set -u
umask 077
export LC_ALL=C PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }

heard= second=

finish() {
    say "${heard}end of answer"
    exit 0
}

refuse() {
    say "refused $*"
    finish
}

durable() { sync "$@" 2>/dev/null || sync; }

# state_dir DIR: makes sure that DIR is there and ours; a folder that cannot be read must not look like an empty one.
state_dir() {
    state=$1
    for tool in flock setsid base64; do
        command -v $tool >/dev/null || refuse "$tool is not installed"
    done
    [ -O "$state" ] || mkdir -p "$state" || refuse "cannot make $state"
    [ -O "$state" ] && [ -x "$state" ] || refuse "$state belongs to another user"
}

# ended DIR: sets $code when the step in DIR left a whole exit code.
ended() {
    { IFS= read -r code <"$1/exit"; } 2>/dev/null || return 1
    case $code in '' | *[!0-9]*) return 1 ;; esac
}

# told N DIR: the step in DIR has ended with $code; passes on what it left behind.
told() {
    if [ -s "$2/values" ]; then
        head -c 16384 "$2/values" | while IFS= read -r value || [ -n "$value" ]; do say "value $value"; done
    fi
    if [ -s "$2/out" ]; then tail -c 65536 "$2/out" | base64; fi
    say "$1 exited $code"
}

# report N DIR: says how the step in DIR stands; fails when it runs.
# The lock is probed only where an intent stands, so that a probe never stands in the way of a first starter.
report() {
    if [ ! -s "$2/intent" ]; then say "$1 never" && return; fi
    if ended "$2"; then told "$@" && return; fi
    if ! flock -n -s 9 9<"$2/lock"; then say "$1 running" && return 1; fi
    if ended "$2"; then told "$@" && return; fi
    read -r boot </proc/sys/kernel/random/boot_id
    born= && { read -r born <"$2/boot_id"; } 2>/dev/null
    if [ "$boot" = "$born" ]; then say "$1 died"; else say "$1 rebooted"; fi
}

# follow N DIR: reports, and once more when the step has ended.
follow() {
    report "$@" && return
    flock -s 9 9<"$2/lock"
    report "$@"
}

# seen_epoch: sets $seen to the newest epoch that gave orders here.
seen_epoch() {
    seen=0
    [ -e "$state/epoch" ] || return 0
    { IFS= read -r seen <"$state/epoch"; } 2>/dev/null
    case $seen in '' | *[!0-9]*) refuse "$state/epoch is not a number" ;; esac
}

raise() {
    flock 8
    seen_epoch
    [ "$seen" -lt "$1" ] || return 0
    say "$1" >"$state/epoch.new" && durable "$state/epoch.new" && mv -f "$state/epoch.new" "$state/epoch" ||
        refuse "cannot write $state/epoch"
    seen=$1
}

# fence EPOCH: fails when a newer daemon gave orders here; from now on older ones are refused.
fence() {
    seen_epoch
    if [ "$seen" -lt "$1" ]; then raise "$1" 8>>"$state/epoch.lock"; fi
    [ "$seen" -eq "$1" ]
}

# What holds the lock while a step runs, in a session of its own. $1 is the step's folder; standard input says "go" when
# the intent is on disk, and brings the secrets, whole or not at all.
# The body inherits the lock: as long as anything of the step lives without having written an exit code, it runs.
# The exit code is a whole line or it is nothing, so it needs no renaming; waiters are woken when it is on disk.
holder='
    ulimit -c 0
    read -r go || exit
    reconciler_secrets=
    if [ "$go" = "go with secrets" ]; then
        reconciler_secrets=$(cat)
        case $reconciler_secrets in *"# all") ;; *) exit ;; esac
    fi
    exec </dev/null
    cd /
    reconciler_run=${1%/*/*}
    export RECONCILER_VALUES="$1/values" RECONCILER_RUN="${reconciler_run##*/}" RECONCILER_HOME="${reconciler_run%/steps/*}"
    unset reconciler_run
    ( eval "$reconciler_secrets"; unset reconciler_secrets; . "$1/script" )
    printf "%s\n" "$?" >"$1/exit"
    { sync "$1/exit" "$1/out" "$1/values" || sync; exec flock -u 9; } >/dev/null 2>&1 &
'

# What brings a host back that a step has cut off. It waits for the end of the step in $1, at most $2 seconds, and then $3
# seconds for somebody to come and disarm it; else it reverts. It counts by /proc/uptime: a clock that is set fires nothing.
# "armed" becomes either "disarmed" or "fired" by renaming, which only one can do, and which wants no space on the disk.
guard='
    cd /
    over() { [ -s "$1/exit" ] || flock -n -s 6 6<"$1/lock"; }
    due() { read -r up rest </proc/uptime; [ "${up%%.*}" -ge "$end" ]; }
    in_s() { read -r up rest </proc/uptime; end=$((${up%%.*} + $1)); }
    in_s "$2"
    until over "$1" || due; do sleep 1; done
    in_s "$3"
    until [ ! -e "$1/guard/armed" ] || due; do sleep 1; done
    mv "$1/guard/armed" "$1/guard/fired" 2>/dev/null || exit 0
    sync
    ( . "$1/guard/script" )
    printf "%s\n" "$?" >"$1/guard/exit"
    sync
'

# arm REVERT LIMIT_S WITHIN_S: starts the guard of the step in $dir, in a session of its own, with its lock on descriptor 7.
arm() {
    flock 7 && say "$1" >"$dir/guard/script" && : >"$dir/guard/armed" && durable "$dir/guard/script" "$dir/guard" || return 1
    (setsid $shell -c "$guard" reconciler "$dir" "$2" "$3" </dev/null >"$dir/guard/out" 2>&1 9>&- &)
}

# disarm STATE KEY EPOCH: says how a guarded step stands; what has ended stays so from now on, unless its guard came first.
disarm() {
    state_dir "$1"
    dir=$state/steps/$2
    if [ ! -s "$dir/intent" ]; then say '0 never' && return; fi
    fence "$3" || { say "0 fenced $seen"; finish; }
    if [ ! -e "$dir/guard/fired" ]; then
        if ! ended "$dir" && ! flock -n -s 9 9<"$dir/lock"; then say '0 running' && return; fi
        mv "$dir/guard/armed" "$dir/guard/disarmed" 2>/dev/null
        durable "$dir/guard"
    fi
    if [ ! -e "$dir/guard/fired" ]; then report 0 "$dir" && return; fi
    if ended "$dir/guard"; then :; elif flock -n -s 9 9<"$dir/guard/lock"; then code=255; else say '0 running' && return; fi
    tail -c 65536 "$dir/guard/out" | base64
    say "0 reverted $code"
}

# let_go SECRETS: what the holder reads.
let_go() {
    durable "$dir/intent" "$dir"
    if [ -z "$1" ]; then say go; else say "go with secrets
$1
# all"; fi
}

# launch EPOCH SCRIPT SECRETS [REVERT LIMIT_S WITHIN_S]: writes the intent to $dir and lets the step go, with the step's lock on descriptor 9.
# The intent stands before the fence is asked, so whoever raises the fence sees every step that got through before.
launch() {
    flock -n 9 || return 0
    [ ! -s "$dir/intent" ] || return 0
    { read -r boot </proc/sys/kernel/random/boot_id && say "$boot" >"$dir/boot_id" && say "$2" >"$dir/script" &&
        : >"$dir/out" && : >"$dir/values" && say "epoch $1" >"$dir/intent"; } || {
        rm -f "$dir/intent"
        refuse "cannot write to $dir"
    }
    if ! fence "$1"; then
        rm -f "$dir/intent"
        say "0 fenced $seen"
        finish
    fi
    if [ -n "${4-}" ]; then
        mkdir -p "$dir/guard" && arm "$4" "$5" "$6" 7>>"$dir/guard/lock" || { rm -f "$dir/intent"; refuse "cannot arm the guard in $dir"; }
    fi
    let_go "$3" | setsid $shell -c "$holder" reconciler "$dir" >"$dir/out" 2>&1 &
    say '0 running'
}

# start STATE KEY EPOCH stay|leave SCRIPT SECRETS [REVERT LIMIT_S WITHIN_S]: starts a step, or attaches to it when it is known, and follows it.
start() {
    state_dir "$1"
    dir=$state/steps/$2
    if [ -s "$dir/intent" ]; then
        fence "$3" || { say "0 fenced $seen"; finish; }
    else
        mkdir -p "$dir" || refuse "cannot make $dir"
        launch "$3" "$5" "$6" ${7:+"$7" "$8" "$9"} 9>>"$dir/lock" || refuse "cannot write to $dir"
        [ "$4" = leave ] || wait
    fi
    if [ "$4" = leave ]; then report 0 "$dir"; else follow 0 "$dir"; fi
}

# ask STATE KEY...: says how steps stand.
ask() {
    state_dir "$1"
    shift
    number=0
    for key; do
        report "$number" "$state/steps/$key"
        number=$((number + 1))
    done
}

# watch STATE KEY: says how a step stands, and again when it has ended.
watch() {
    state_dir "$1"
    follow 0 "$state/steps/$2"
}

# forget STATE RUN...: removes the ended steps of these runs. Named are those to forget, not those to keep: a run that
# began while the order was under way is none of them.
forget() {
    state_dir "$1"
    shift
    cd "$state/steps" 2>/dev/null || return 0
    for run; do
        for attempt in "$run"/*/*; do
            [ -d "$attempt" ] && [ ! -L "$run" ] && [ ! -L "${attempt%/*}" ] && [ ! -L "$attempt" ] || continue
            sweep "./$attempt" 9>>"$attempt/lock"
        done
        rmdir "./$run"/* "./$run" 2>/dev/null
    done
}

sweep() {
    { ended "$1" || flock -n 9; } && rm -rf -- "$1"
}

# question N SECONDS BYTES SCRIPT ARGS...: asks one question; it cannot take longer or say more. Answers are said together:
# each packet costs the daemon more than what is in it. But none waits for long, nor a long one.
question() {
    number=$1 seconds=$2 bytes=$3 script=$4
    shift 4
    limit="timeout -s KILL $seconds"
    command -v timeout >/dev/null || limit=
    heard="$heard$(
        exec 3>&1
        code=$({ {
            $limit $shell -c "$script" reconciler "$@" </dev/null 2>/dev/null 3>&- 4>&-
            say "$?" >&4
        } | head -c "$bytes" | base64 >&3; } 4>&1)
        say "$number answered $code"
    )
"
    read -r now rest </proc/uptime
    : "${second:=${now%%.*}}"
    [ "${now%%.*}" != "$second" ] || [ "${#heard}" -gt 65536 ] || return 0
    printf '%s' "$heard"
    heard= second=${now%%.*}
}

say 'reconciler 1'
