//! Português do Brasil.

use vms_types::{MachineStatus as S, OperationKind as K, ProblemCode as P};

use super::{Advice, Texts};
use crate::format::{bytes, limit_parts};
use crate::preferences::Theme;
use crate::route::Route;

const fn a(what: &'static str, then: &'static str) -> Advice {
    Advice { what, then }
}

pub(super) const TEXTS: Texts = Texts {
    system_title: "Sistema de Máquinas Virtuais",
    skip_to_content: "Ir para o conteúdo",
    language: "Idioma",
    theme: |theme| match theme {
        Theme::Auto => "Tema: automático",
        Theme::Light => "Tema: claro",
        Theme::Dark => "Tema: escuro",
    },
    loading: "Carregando…",
    close: "Fechar",
    cancel: "Cancelar",
    dismiss: "Dispensar",
    try_again: "Tentar novamente",
    login_heading: "Acesse sua conta",
    username: "Usuário",
    password: "Senha",
    log_in: "Entrar",
    logging_in: "Entrando…",
    welcome_heading: |title| format!("Bem-vindo ao {title}"),
    fill_both: "Informe o usuário e a senha.",
    contact: "Contato",
    session_over_title: "Sua sessão terminou",
    session_over_text: "Informe a senha novamente para continuar de onde parou. Nada do que você digitou se perde.",
    log_out: "Sair",
    account: "Conta e cota",
    machines: "Máquinas",
    quota_label: "Máquinas em uso",
    quota_left: |n| match n {
        0 => "Nenhuma vaga".to_owned(),
        1 => "1 vaga livre".to_owned(),
        n => format!("{n} vagas livres"),
    },
    quota_full: "Você usa todas as suas máquinas. Para criar outra, exclua uma que não precisa mais.",
    new_machine: "Nova máquina",
    column_name: "Nome da Máquina Virtual",
    column_ip: "IP",
    column_commands: "Comandos",
    empty_title: "Você ainda não tem máquinas",
    empty_text: "Crie a primeira: em poucos segundos você tem um Linux só seu, com acesso total de administrador.",
    live: "Ao vivo",
    polling: "Atualizado",
    connecting: "Conectando…",
    offline: "Sem conexão, tentando novamente…",
    not_started: "Não inicializada!",
    no_address: "Sem endereço",
    waiting_address: "Aguardando endereço…",
    copy_address: |address| format!("Copiar o endereço {address}"),
    copied: "Endereço copiado.",
    stale: "O servidor desta máquina não responde; este é o último estado conhecido.",
    status: |status| match status {
        S::Creating => "Criando",
        S::Stopped => "Desligada",
        S::Starting => "Ligando",
        S::Running => "Ligada",
        S::Stopping => "Desligando",
        S::Frozen => "Pausada",
        S::Restoring => "Restaurando",
        S::Migrating => "Movendo",
        S::Deleting => "Excluindo",
        S::Error => "Com erro",
        S::Unknown => "Não encontrada",
    },
    doing: |kind| match kind {
        K::MachineCreate => "Criando a máquina…",
        K::MachineStart => "Ligando…",
        K::MachineStop => "Desligando…",
        K::MachineRestart => "Reiniciando…",
        K::MachineFreeze => "Pausando…",
        K::MachineUnfreeze => "Retomando…",
        K::MachineReset => "Voltando ao estado inicial…",
        K::MachineProfiles => "Trocando o perfil…",
        K::MachineDelete => "Excluindo a máquina…",
        K::SnapshotCreate => "Criando o snapshot…",
        K::SnapshotRename => "Renomeando o snapshot…",
        K::SnapshotRestore => "Restaurando o snapshot…",
        K::SnapshotDelete => "Excluindo o snapshot…",
        K::ImageImport => "Importando a imagem…",
        K::ImagePublish => "Publicando como imagem…",
        K::ImageRefresh => "Atualizando a imagem…",
        K::ImageDelete => "Excluindo a imagem…",
    },
    done: |kind, name| match kind {
        K::MachineCreate => format!("Máquina {name} criada."),
        K::MachineStart => format!("Máquina {name} ligada."),
        K::MachineStop => format!("Máquina {name} desligada."),
        K::MachineRestart => format!("Máquina {name} reiniciada."),
        K::MachineFreeze => format!("Máquina {name} pausada."),
        K::MachineUnfreeze => format!("Máquina {name} retomada."),
        K::MachineReset => format!("Máquina {name} de volta ao estado inicial."),
        K::MachineProfiles => format!("Máquina {name} com outro perfil."),
        K::MachineDelete => format!("Máquina {name} excluída."),
        K::SnapshotCreate => format!("Snapshot criado em {name}."),
        K::SnapshotRename => format!("Snapshot de {name} renomeado."),
        K::SnapshotRestore => format!("Máquina {name} restaurada."),
        K::SnapshotDelete => format!("Snapshot de {name} excluído."),
        K::ImageImport => format!("Imagem {name} importada."),
        K::ImagePublish => format!("Imagem {name} publicada."),
        K::ImageRefresh => format!("Imagem {name} atualizada."),
        K::ImageDelete => format!("Imagem {name} excluída."),
    },
    failed: |kind| match kind {
        K::MachineCreate => "A máquina não pôde ser criada.",
        K::MachineStart => "A máquina não pôde ser ligada.",
        K::MachineStop => "A máquina não pôde ser desligada.",
        K::MachineRestart => "A máquina não pôde ser reiniciada.",
        K::MachineFreeze => "A máquina não pôde ser pausada.",
        K::MachineUnfreeze => "A máquina não pôde ser retomada.",
        K::MachineReset => "A máquina não pôde voltar ao estado inicial.",
        K::MachineProfiles => "O perfil da máquina não pôde ser trocado.",
        K::MachineDelete => "A máquina não pôde ser excluída.",
        K::SnapshotCreate => "O snapshot não pôde ser criado.",
        K::SnapshotRename => "O snapshot não pôde ser renomeado.",
        K::SnapshotRestore => "O snapshot não pôde ser restaurado.",
        K::SnapshotDelete => "O snapshot não pôde ser excluído.",
        K::ImageImport => "A imagem não pôde ser importada.",
        K::ImagePublish => "A imagem não pôde ser publicada.",
        K::ImageRefresh => "A imagem não pôde ser atualizada.",
        K::ImageDelete => "A imagem não pôde ser excluída.",
    },
    outcome_unknown: "Não se sabe como o comando terminou. Confira o estado da máquina e repita se preciso.",
    cancelled: "O comando foi cancelado. Repita se ainda precisar.",
    sending: "Enviando o comando…",
    turn_on: "Ligar",
    turn_off: "Desligar",
    resume: "Retomar",
    restart: "Reiniciar",
    freeze: "Pausar",
    force_off: "Forçar desligamento",
    reset: "Voltar ao estado inicial",
    delete: "Excluir máquina",
    more_commands: |name| format!("Mais comandos para {name}"),
    for_machine: |command, name| format!("{command}: {name}"),
    create_snapshot: "Criar Snapshot",
    snapshot_name: "Nome do snapshot",
    snapshot_hint: "Letras, números, ponto, traço e sublinhado.",
    snapshots: |n| if n == 0 { "sem snapshots".to_owned() } else { format!("snapshots ({n})") },
    snapshots_of: |name| format!("Snapshots de {name}"),
    restore: "Restaurar",
    remove: "Excluir",
    rename: "Renomear",
    save: "Salvar",
    new_name: "Novo nome",
    rename_snapshot: |name| format!("Renomear o snapshot {name}"),
    confirm_delete_title: |name| format!("Excluir a máquina {name}?"),
    confirm_delete_text: "A máquina, tudo o que há nela e todos os seus snapshots deixam de existir. Não há como desfazer.",
    confirm_reset_title: |name| format!("Voltar {name} ao estado inicial?"),
    confirm_reset_text: "A máquina volta a ser como no dia em que foi criada. O que foi instalado ou gravado nela, e os seus snapshots, se perdem.",
    confirm_force_title: |name| format!("Forçar o desligamento de {name}?"),
    confirm_force_text: "É como tirar da tomada: o que não foi gravado se perde. Use quando o desligamento normal não funciona.",
    confirm_restore_title: |snapshot| format!("Restaurar o snapshot {snapshot}?"),
    confirm_restore_text: |name| {
        format!("A máquina {name} volta a ser como naquele momento. O que mudou desde então se perde.")
    },
    confirm_remove_title: |snapshot| format!("Excluir o snapshot {snapshot}?"),
    confirm_remove_text: |name| {
        format!("A máquina {name} continua como está, mas não será possível voltar a esse momento.")
    },
    create_title: "Nova máquina",
    name: "Nome",
    name_hint: "Letras minúsculas, números e traços; comece com uma letra.",
    image: "Imagem",
    profile: "Perfil",
    description: "Descrição",
    optional: "opcional",
    start_after: "Ligar assim que estiver pronta",
    create: "Criar máquina",
    limits: |limits| {
        limit_parts(&limits, "CPU", "CPUs", "de memória", "de disco", ',', "Sem limites próprios")
    },
    limits_short: |limits| limit_parts(&limits, "CPU", "CPUs", "RAM", "disco", ',', ""),
    quota_numbers: |quota| {
        let (used, allowed) = (quota.used, quota.allowed);
        let sizes = || (bytes(used, ','), bytes(allowed, ','));
        match quota.resource.as_str() {
            "running" => format!("Máquinas ligadas: {used} de {allowed}."),
            "memory_bytes" => format!("Memória: {} de {}.", sizes().0, sizes().1),
            "cpus" => format!("CPUs: {used} de {allowed}."),
            "disk_bytes" => format!("Disco: {} de {}.", sizes().0, sizes().1),
            "snapshots_per_machine" => format!("Snapshots desta máquina: {used} de {allowed}."),
            _ => format!("Máquinas: {used} de {allowed}."),
        }
    },
    quota_rest: |quota| {
        let left = quota.allowed.saturating_sub(quota.used);
        let sizes = || (bytes(left, ','), bytes(quota.allowed, ','));
        match quota.resource.as_str() {
            "running" => format!("Ligadas ao mesmo tempo: restam {left} de {}", quota.allowed),
            "memory_bytes" => format!("Memória: restam {} de {}", sizes().0, sizes().1),
            "cpus" => format!("CPUs: restam {left} de {}", quota.allowed),
            _ => format!("Disco: restam {} de {}", sizes().0, sizes().1),
        }
    },
    quota_now: "O que resta da sua cota",
    pages: "Páginas",
    decimal_mark: ',',
    usage: "Uso",
    usage_title: |name| format!("Uso de {name}"),
    usage_none: "Ainda não há medições. Elas começam cerca de meio minuto depois de ligar.",
    chart_cpu: "CPU",
    chart_memory: "Memória",
    chart_disk: "Disco",
    chart_received: "Recebido",
    chart_sent: "Enviado",
    chart_highest: |highest| format!("máx. {highest}"),
    chart_words: |title, now, highest| format!("{title}: agora {now}, no máximo {highest}."),
    page: |route| match route {
        Route::Overview => "Visão geral",
        Route::Networks => "Redes e certificados",
        Route::Mine => "Minhas máquinas",
        Route::Students => "Máquinas das turmas",
        Route::AllMachines => "Máquinas",
        Route::Differences => "Diferenças",
        Route::Images => "Imagens",
        Route::Profiles => "Perfis",
        Route::Users => "Usuários",
        Route::Quotas => "Cotas",
        Route::Audit => "Auditoria",
    },
    select_machine: |name| format!("Marcar {name}"),
    advice: |code| match code {
        P::MalformedBody | P::MalformedParameter | P::UnsupportedMediaType | P::MethodNotAllowed => {
            a("O servidor não entendeu o pedido.", "Recarregue a página e tente novamente.")
        }
        P::InvalidCredentials => a("Usuário ou senha incorretos.", "Confira os dois e tente novamente."),
        P::Unauthenticated | P::SessionExpired => a("Sua sessão terminou.", "Entre novamente."),
        P::Forbidden => {
            a("Você não tem permissão para isso.", "Se acha que deveria ter, fale com o suporte.")
        }
        P::AccountNotAllowed => a("Sua conta não pode usar este sistema.", "Fale com o suporte da escola."),
        P::ForeignOrigin => {
            a("O pedido veio de outro endereço.", "Abra o sistema pelo endereço oficial da escola.")
        }
        P::NotFound => a("Isto não existe mais.", "A lista será atualizada em instantes."),
        P::NameTaken => a("Este nome já está em uso.", "Escolha outro."),
        P::WrongState => {
            a("O estado da máquina não permite isso agora.", "Espere ela terminar o que faz e tente de novo.")
        }
        P::MachineBusy => a("A máquina ainda executa outro comando.", "Espere ele terminar e tente de novo."),
        P::InUse => a("Isto ainda está em uso.", "Mude ou exclua antes o que o usa."),
        P::NotRefreshable => {
            a("Esta imagem não veio de outro servidor.", "Envie ou publique a nova com o mesmo nome.")
        }
        P::InvalidImage => {
            a("O arquivo não é uma imagem que o servidor aceite.", "Confira o arquivo e envie de novo.")
        }
        P::NotCancellable => a("O comando não pode mais ser cancelado.", "Espere ele terminar."),
        P::PreconditionFailed => {
            a("Isto mudou enquanto você olhava.", "Veja o estado atual e tente de novo.")
        }
        P::PayloadTooLarge => a("O texto enviado é grande demais.", "Encurte-o e tente novamente."),
        P::ValidationFailed => a("Algum campo não está certo.", "Corrija o que está indicado."),
        P::QuotaExceeded => {
            a("Você chegou ao limite da sua cota.", "Exclua ou desligue o que não precisa mais.")
        }
        P::IdempotencyKeyReused => {
            a("Este pedido já foi enviado com outros dados.", "Feche e comece novamente.")
        }
        P::TooManyAttempts => a("Houve tentativas demais.", "Espere alguns minutos antes de tentar de novo."),
        P::ServerError => {
            a("O servidor de máquinas relatou um erro.", "Tente de novo; se repetir, fale com o suporte.")
        }
        P::ServerRefused => a("O servidor de máquinas recusou o sistema.", "Avise o suporte da escola."),
        P::DirectoryUnavailable => {
            a("O serviço de contas da escola não responde.", "Tente novamente em alguns minutos.")
        }
        P::ServerUnavailable => {
            a("O servidor de máquinas não responde.", "Suas máquinas não se perdem; tente em alguns minutos.")
        }
        P::DatabaseUnavailable | P::Overloaded => {
            a("O sistema está ocupado demais no momento.", "Tente novamente em alguns instantes.")
        }
        P::ShuttingDown => a("O sistema está sendo reiniciado.", "Tente novamente em alguns instantes."),
        P::TooManyConnections => {
            a("Você tem conexões demais abertas.", "Feche algumas abas ou programas e tente novamente.")
        }
        P::Internal | P::UpgradeRequired | P::Other => {
            a("Algo deu errado no sistema.", "Tente de novo; se repetir, fale com o suporte.")
        }
    },
    advice_network: a("O sistema não pôde ser alcançado.", "Confira sua conexão e tente novamente."),
    advice_unreadable: a("O sistema deu uma resposta inesperada.", "Recarregue a página e tente novamente."),
    field: |code| match code {
        "subnet" => Some("Escreva o endereço do gateway e o tamanho da rede, como 10.99.0.1/18."),
        "address" => Some("Escreva faixas como 10.99.1.0-10.99.1.255, separadas por vírgulas."),
        "outside" => Some("Há um endereço fora da rede."),
        "order" => Some("Uma faixa termina antes de começar."),
        "gateway" => Some("Uma faixa contém o endereço do gateway."),
        "overlap" => Some("Estes endereços já pertencem a outra faixa ou rede."),
        "not-managed" => Some("Esta rede não é administrada pelo LXD."),
        "required" => Some("Preencha este campo."),
        "too-long" => Some("Use no máximo 63 caracteres."),
        "letter-first" => Some("Comece com uma letra."),
        "alphanumeric-first" => Some("Comece com uma letra ou um número."),
        "dash-last" => Some("Não termine com um traço."),
        "host-character" => Some("Use só letras sem acento, números e traços."),
        "snapshot-character" => Some("Use só letras sem acento, números, ponto, traço e sublinhado."),
        "alias-character" => Some("Use só letras sem acento, números, ponto, barra, traço e sublinhado."),
        "name-taken" => Some("Este nome já está em uso. Escolha outro."),
        _ => None,
    },
    field_unknown: "Este valor não é aceito. Escolha outro.",
    description_long: "Use no máximo 500 caracteres.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_in_words() {
        let limits =
            vms_types::Limits { cpus: Some(1), memory_bytes: Some(512 << 20), disk_bytes: Some(3 << 29) };
        assert_eq!((TEXTS.limits)(limits), "1 CPU · 512 MiB de memória · 1,5 GiB de disco");
        assert_eq!((TEXTS.limits)(vms_types::Limits::default()), "Sem limites próprios");
    }
}
