#!/usr/bin/env bash
# Two ranks in two network namespaces, with a link of a given rate between them: what goes over it, and the time of an FFN.
#
#     bash tests/mpi/namespaces.sh TESTS_MPI [RATE] [what tests_mpi is asked for]      # 1gbit; ffn 4096 14336
#
# Needs root, iproute2 and MPICH. The rate is a token bucket's of 5 KB, so that no message goes past it.
set -euo pipefail
program=$(realpath "${1:?the program tests_mpi}")
rate=${2:-1gbit}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- ffn 4096 14336
first=tamis$$a second=tamis$$b
launch=$(mktemp)
trap 'rm -f "$launch"; ip netns del $first 2>/dev/null || true; ip netns del $second 2>/dev/null || true' EXIT
ip netns add $first
ip netns add $second
ip link add ta$$ type veth peer name tb$$
ip link set ta$$ netns $first name link0
ip link set tb$$ netns $second name link0
address=1
for space in $first $second; do
    ip -n $space addr add 10.9.0.$address/24 dev link0
    ip -n $space link set link0 up
    ip -n $space link set lo up
    ip netns exec $space tc qdisc add dev link0 root tbf rate "$rate" burst 5k latency 5ms
    address=$((address + 1))
done
cat >"$launch" <<LAUNCH
#!/bin/bash
while [[ \$1 == -* ]]; do shift; done
space=$second
[ "\$1" != 10.9.0.1 ] || space=$first
shift
exec ip netns exec \$space sh -c "\$*"
LAUNCH
chmod +x "$launch"
sent() { ip netns exec $first awk '/link0:/ { print $10 }' /proc/net/dev; }
before=$(sent)
# not over shared memory: both ranks are on one machine
ip netns exec $first mpiexec -iface link0 -genv MPIR_CVAR_NOLOCAL 1 -genv UCX_TLS tcp,self -launcher ssh -launcher-exec "$launch" \
    -hosts 10.9.0.1,10.9.0.2 -n 2 -ppn 1 "$program" "$@"
echo "link of $rate: rank 0 sent $(($(sent) - before)) bytes in all"
