#!/bin/sh
# Becomes valgrind with a program: `under-valgrind.sh [OPTION]... PROGRAM [WORD]...`. It fails over everything that it
# finds: errors, and every kind of leak. It only lists the descriptors that are left open.
exec valgrind --quiet --error-exitcode=99 --num-callers=30 --track-fds=yes \
    --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \
    "--suppressions=${0%/*}/valgrind.supp" "$@"
