#!/bin/sh
# Runs "$@" in a network namespace with a link of MTU 1300 to another one, /run/netns/far. Call it within
# `unshare --net --mount`: all it makes goes with the process.
#   near: 10.9.0.1, 10.9.0.11, fd09::1, fd09::11, fe80::1    far: 10.9.0.2, fd09::2, fe80::2    10.9.0.99: nobody,
#   as is known after 0.6 s
set -eu
mount -t tmpfs none /run
ip netns add far
ip link add near mtu 1300 type veth peer name far mtu 1300 netns far
ip link set near addrgenmode none
ip -n far link set far addrgenmode none
ip link set lo up
ip link set near up
ip -n far link set far up
for address in 10.9.0.1/24 10.9.0.11/24; do ip address add $address dev near; done
for address in fd09::1/64 fd09::11/64 fe80::1/64; do ip address add $address dev near nodad; done
ip -n far address add 10.9.0.2/24 dev far
for address in fd09::2/64 fe80::2/64; do ip -n far address add $address dev far nodad; done
ip ntable change name arp_cache dev near retrans 200
exec "$@"
