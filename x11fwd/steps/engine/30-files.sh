# shellcheck shell=sh
# WriteFile: one file's whole content, checked against the plan, replaced by a rename.

write_apply() {
    spool_content
    target=$(real "$x_path") || die symlinks "$x_path is a loop of symlinks"
    check_before
    journal_begin write
    journal_file
    journal_commit
    hear make_folders "$(field "$entry" folders)" && stage "$target" "$run/content" "$x_mode" &&
        hear mv -f "$staged" "$target" || {
        rm -f "$staged"
        remove_folders "$(field "$entry" folders)"
        journal_drop "$entry"
        die write "$x_path could not be written"
    }
    temporary=
    label_all "$target"
    journal_state "$entry" "done"
    finish "done" "$made"
}

label_all() { # TARGET: the file, and the folders that came into being for it
    la_folders=$(field "$entry" folders)
    [ -z "$la_folders" ] || printf '%s\n' "$la_folders" | while IFS= read -r la_folder; do label "$la_folder"; done
    label "$1"
}

check_before() { # the plan was made from these bytes; somebody may have changed them since
    before=$(digest "$target")
    [ "$before" != "$x_after" ] || finish unchanged
    case $before in
        folder) die changed "$x_path is a folder" ;;
        unreadable) die changed "$x_path cannot be read" ;;
    esac
    [ "$before" = "$x_before" ] || die changed "$x_path was changed by somebody else after it was read"
}

journal_file() { # what undo needs to know about $target
    note path "$target"
    note before-digest "$before"
    note after-digest "$x_after"
    note folders "$(missing_folders "${target%/*}")"
    [ "$before" = absent ] || keep before "$target"
}

write_undo() { # ENTRY
    target=$(field "$1" path)
    wu_now=$(digest "$target")
    wu_before=$(field "$1" before-digest)
    if [ "$wu_now" = "$(field "$1" after-digest)" ]; then
        if [ "$wu_before" = absent ]; then
            hear rm -f "$target" || die write "$target could not be removed"
        else
            stage_backup "$target" "$1/before" && hear mv -f "$staged" "$target" || {
                rm -f "$staged"
                die write "$target could not be restored"
            }
            temporary=
            label "$target"
        fi
    elif [ "$wu_now" != "$wu_before" ]; then
        # theirs, not ours: say what is different and leave it
        foreign_difference "$1" >"$run/difference"
        say_file difference "$run/difference"
        finish foreign "${1##*/}"
    fi
    remove_folders "$(field "$1" folders)"
    journal_drop "$1"
    finish undone "${1##*/}"
}
