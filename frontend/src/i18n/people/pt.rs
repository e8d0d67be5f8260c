//! Português do Brasil.

use vms_types::Role;

use super::{PeopleTexts, QuotaWords};

pub(crate) const TEXTS: PeopleTexts = PeopleTexts {
    role: |role| match role {
        Role::Student => "Estudante",
        Role::Teacher => "Professor",
        Role::Admin => "Administrador",
    },
    column_role: "Papel",
    column_groups: "Grupos",
    column_last_login: "Último acesso",
    users_none_fit: "Nenhum usuário corresponde aos filtros.",
    users_shown: |n, more| match (n, more) {
        (1, false) => "1 usuário".to_owned(),
        (n, false) => format!("{n} usuários"),
        (n, true) => format!("os primeiros {n} usuários"),
    },
    overridden: "definido aqui",
    active: "Ativo",
    disabled: "Bloqueado",
    gone: "Fora do diretório",
    login_name: "Usuário",
    email: "E-mail",
    first_login: "Primeiro acesso",
    directory: "Diretório",
    in_directory: |there, when| {
        if there {
            format!("Está no diretório (consultado em {when})")
        } else {
            format!("Não está mais no diretório (consultado em {when})")
        }
    },
    check_directory: "Consultar o diretório",
    role_of_directory: |role| format!("O do diretório: {role}"),
    own_quota: "Cota própria",
    own_quota_hint: "Um campo vazio deixa valer a cota dos grupos, do papel ou da escola.",
    saved: "Alterações salvas.",
    lock: "Bloquear",
    unlock: "Desbloquear",
    lock_title: |name| format!("Bloquear {name}?"),
    lock_text: "As sessões terminam agora e os tokens deixam de valer. As máquinas continuam como estão.",
    sign_out: "Encerrar sessões",
    sign_out_title: |name| format!("Encerrar todas as sessões de {name}?"),
    sign_out_text: "A pessoa precisa entrar de novo em todos os lugares. Os tokens dela continuam valendo.",
    signed_out: "Todas as sessões foram encerradas.",
    changed_meanwhile: "Outra pessoa alterou este usuário. Os dados foram lidos de novo; confira e salve outra vez.",
    holds: |n| match n {
        0 => "Não tem máquinas".to_owned(),
        1 => "Tem 1 máquina".to_owned(),
        n => format!("Tem {n} máquinas"),
    },
    select_all: "Marcar todas",
    new_owner: "Novo dono",
    new_owner_hint: "O nome de usuário de quem já entrou no sistema.",
    owner_unknown: "Esta pessoa nunca entrou no sistema. Confira o nome de usuário.",
    hand_over: "Entregar",
    handed_over: |n, owner| {
        if n == 1 {
            format!("1 máquina entregue a {owner}.")
        } else {
            format!("{n} máquinas entregues a {owner}.")
        }
    },
    quotas_intro: "Vale o nível mais específico que diz algo: a pessoa, o maior dos seus grupos, o papel, a escola. O que ninguém limita é livre.",
    new_quota: "Nova cota",
    edit_quota: |whose| format!("Cota: {whose}"),
    column_whose: "De quem",
    school: "Escola (configuração)",
    scope: "Vale para",
    of_role: "Papel",
    of_group: "Grupo",
    group: "Grupo do diretório",
    group_hint: "O nome curto, como o diretório o escreve.",
    group_missing: "Informe o nome do grupo.",
    edit: "Alterar",
    remove_title: |whose| format!("Retirar a cota: {whose}?"),
    remove_text: "O próximo nível volta a decidir. Nenhuma máquina é desligada ou excluída.",
    loose_pools: |pools| {
        format!(
            "Nestes pools de armazenamento o tamanho do disco não pode ser imposto, só contado: {pools}. Uma máquina neles pode usar mais do que a cota."
        )
    },
    number: QuotaWords {
        machines: "Máquinas",
        running: "Ligadas",
        memory: "Memória",
        cpus: "CPUs",
        disk: "Disco",
        snapshots: "Snapshots por máquina",
    },
    not_limited: "sem limite",
    in_force: |text| format!("Em vigor: {text}"),
    size_example: "Com unidade: 512MiB, 4GiB.",
    number_wrong: "Informe um número inteiro.",
    size_wrong: "Informe um tamanho com unidade, como 512MiB ou 4GiB.",
};
