#!/bin/sh
# Writes the disk, without /proc and /sys, which are mounted while a hook runs.
set -eu
rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*
cp -L "$1/vmlinuz" "$1/initrd.img" "$LAB_DIRECTORY"
# shellcheck disable=SC2016 # the inner shell expands these
unshare --mount sh -c 'umount --lazy "$1/proc" "$1/sys" && exec mke2fs -q -F -t ext4 -d "$1" "$2" 4G' \
	sh "$1" "$LAB_DIRECTORY/disk.img"
